"""A host on which supervisors start, end, crash and reboot over one journal."""

from pathlib import Path

from supervisor.limiter.journal import Journal
from supervisor.limiter.journal_page import WORD_BYTES
from supervisor.settings.config import Api, Window
from tests.limiter.support import Bench, api, config, key
from tests.support.clock import FakeClock

BOOT, NEXT_BOOT = b"a" * 16, b"b" * 16
SMALL = api(windows=(Window(requests=10, per_s=1.0), Window(requests=100, per_s=3600.0)), hour="burst")


class Machine:
    """A host on which supervisors start and end; one journal file. limits: of the API, may be set between runs."""

    def __init__(self, folder: Path, limits: Api = SMALL) -> None:
        self.limits = limits
        self.clock = FakeClock()
        self.path = folder / "permits.journal"
        self.boot_id = BOOT
        self.journal: Journal
        self.bench: Bench

    def start(self, *keys: str) -> Bench:
        settings = config(self.limits, *(key(name) for name in keys or ("osint-1",)))
        self.bench = Bench(settings, has_credentials=False, now=self.clock.monotonic())
        heard = self.bench.heard.events
        self.journal = Journal(self.path, clock=self.clock, events=heard, boot_id=self.boot_id)
        self.bench.limiter.open_records(self.journal.open_record, self.bench.now)
        self.bench.arm_keys()
        return self.bench

    def spend(self, requests: int) -> None:
        """Send and get answered, as fast as the short window allows."""
        replica = self.bench.replica()
        for _ in range(requests):
            grant = replica.get()
            if grant is None:
                replica.cancel(replica.last_ask)
                self.pass_time(1.01)
                grant = replica.get()
            assert grant is not None
            replica.answered(grant)

    def pass_time(self, seconds: float) -> None:
        self.clock.set(self.clock.monotonic() + seconds)
        if hasattr(self, "bench"):
            self.bench.advance(seconds)

    def stop(self) -> None:
        self.journal.close()

    def crash(self) -> None:
        """What SIGKILL leaves: the mapped stores, no mark, no lock."""
        self.journal._words[7] = 0
        is_clean = self.journal._words[7]
        self.journal.close()
        with self.path.open("r+b") as file:
            file.seek(7 * WORD_BYTES)
            file.write(bytes([is_clean]))

    def reboot(self, off_s: float) -> None:
        self.boot_id = NEXT_BOOT
        wall = self.clock.wall()
        self.clock.set(30.0)
        self.clock.jump_wall(wall + off_s - self.clock.wall())

    def used(self, name: str = "osint-1") -> int:
        quota = self.bench.key(name).quota
        return quota.longest.count + quota.in_flight

    def room(self) -> int:
        """Return how many requests the short window of the first key has left now."""
        quota = self.bench.key().quota
        shortest = self.bench.key().shortest
        shortest.expire(self.bench.now)
        return shortest.limit - shortest.count - quota.in_flight

    def frees_in_s(self) -> float:
        """Return when the next permit can be had."""
        replica = self.bench.replica()
        replica.ask(wait_s=4000.0)
        began = self.bench.now
        while not replica.grants:
            self.pass_time(max(0.001, self.bench.limiter.next_at() - self.bench.now))
        return self.bench.now - began
