"""What the limiter's tests share: configurations, a limiter in virtual time, and its replicas."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import (
    ANSWERED,
    NOT_SENT,
    UNKNOWN,
    Acquire,
    Cancel,
    Grant,
    Refuse,
    Release,
)
from supervisor.limiter.key import Credential, Key
from supervisor.limiter.limiter import Limiter
from supervisor.limiter.theta import MIN_MINUTES, MIN_SAMPLES, Theta
from supervisor.settings.config import Api, Config, Log, Secret, Server, Window, Worker
from supervisor.settings.config import Key as KeySettings

SECOND = Window(requests=100, per_s=1.0)
HOUR = Window(requests=36_000, per_s=3600.0)


def api(**changes: Any) -> Api:
    return Api(**({"name": "blizzard", "auth": "bearer", "windows": (SECOND, HOUR)} | changes))


def key(name: str = "osint-1", **changes: Any) -> KeySettings:
    values = {"name": name, "api": "blizzard", "tags": ("osint",), "client_id": f"id of {name}"}
    return KeySettings(**(values | {"secret": Secret(f"secret of {name}")} | changes))


def worker(name: str = "characters", tag: str = "osint", **changes: Any) -> Worker:
    return Worker(name=name, job=f"jobs.{name}", tag=tag, **changes)


def config(*parts: Api | KeySettings | Worker) -> Config:
    """Return a configuration of these parts; one api, key and worker each when none is given."""
    apis = [part for part in parts if isinstance(part, Api)] or [api()]
    keys = [part for part in parts if isinstance(part, KeySettings)] or [key()]
    workers = [part for part in parts if isinstance(part, Worker)] or [worker()]
    return Config(
        path=None,
        sha256="",
        state_dir=Path("state"),
        run_dir=Path("run"),
        server=Server(),
        apis={part.name: part for part in apis},
        keys=tuple(keys),
        workers={part.name: part for part in workers},
        schedules={},
        freshness={},
        retention_s={},
        min_free_bytes=0,
        log=Log(),
    )


class Heard:
    """Events that were emitted, in order."""

    def __init__(self) -> None:
        self.events = Events()
        self.all: list[tuple[str, dict[str, Any]]] = []
        self.events.subscribe(lambda name, fields: self.all.append((name, fields)))

    def named(self, name: str) -> list[dict[str, Any]]:
        return [fields for event, fields in self.all if event == name]


class Replica:
    """One connection, driven by hand."""

    def __init__(self, bench: "Bench", worker: str) -> None:
        self._bench = bench
        self.answers: list[Grant | Refuse] = []
        self.number = bench.limiter.connect(f"{worker}#1", worker, self.answers.append)
        self.last_ask = 0

    @property
    def grants(self) -> list[Grant]:
        return [answer for answer in self.answers if isinstance(answer, Grant)]

    @property
    def refusals(self) -> list[str]:
        return [answer.why for answer in self.answers if isinstance(answer, Refuse)]

    def ask(
        self,
        *,
        start: bool = False,
        priority: int = 0,
        wait_s: float = 60.0,
        region: str = "",
        again: bool = False,
    ) -> int:
        self.last_ask += 1
        message = Acquire(self.last_ask, start, priority, self._bench.now + wait_s, region, again)
        self._bench.limiter.acquire(self.number, message, self._bench.now)
        return self.last_ask

    def get(self, **how: Any) -> Grant | None:
        """Ask, and return the grant that came at once."""
        ask = self.ask(**how)
        return next((grant for grant in self.grants if grant.ask == ask), None)

    def exhaust(self) -> list[Grant]:
        """Take every permit that can be had now."""
        taken = []
        while grant := self.get():
            taken.append(grant)
        self.cancel(self.last_ask)
        return taken

    def cancel(self, ask: int) -> None:
        self._bench.limiter.cancel(self.number, Cancel(ask))

    def answered(self, grant: Grant, status: int = 200, retry_after_s: float = -1.0) -> None:
        self._release(Release(grant.permit, ANSWERED, status, 0.05, retry_after_s))

    def not_sent(self, grant: Grant) -> None:
        self._release(Release(grant.permit, NOT_SENT))

    def unknown(self, grant: Grant) -> None:
        self._release(Release(grant.permit, UNKNOWN))

    def _release(self, message: Release) -> None:
        self._bench.limiter.release(self.number, message, self._bench.now)


class Bench:
    """A limiter in virtual time: `advance` calls tick at every moment that the limiter asks for."""

    def __init__(self, settings: Config | None = None, *, has_credentials: bool = True, now: float = 1000.0) -> None:
        self.now = now
        self.heard = Heard()
        self.ticks = 0
        self.limiter = Limiter(config=settings or config(), events=self.heard.events, random=Random(1), now=now)
        if has_credentials:
            self.arm_keys()

    def arm_keys(self) -> None:
        for one in self.limiter.ring.keys:
            one.set_credential(Credential({"Authorization": f"Bearer {one.name}"}))
        self.limiter.dispatcher.pump(self.now)

    def key(self, name: str = "osint-1") -> Key:
        return next(one for one in self.limiter.ring.keys if one.name == name)

    def replica(self, worker: str = "characters") -> Replica:
        return Replica(self, worker)

    def waiting(self, **counts: list[int]) -> None:
        self.limiter.set_waiting(counts, self.now)

    def configure(self, settings: Config) -> None:
        self.limiter.configure(settings, self.now)

    def advance(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        end = self.now + seconds
        while self.limiter.next_at() <= end:
            at = self.limiter.next_at()
            self.now = max(self.now, at)
            self.limiter.tick(self.now)
            assert self.limiter.next_at() > self.now, "the limiter asks for the moment that it has just had"
            self.ticks += 1
            each()
        self.now = end


def learn(theta: Theta, path: str, rtt_s: float, now: float) -> None:
    """Let theta hear as many answers as it wants, in as many minutes; the last at `now`."""
    for minute in range(MIN_MINUTES - 1, 0, -1):
        theta.heard(path, rtt_s, now - minute * 60.0)
    for _ in range(MIN_SAMPLES - MIN_MINUTES + 1):
        theta.heard(path, rtt_s, now)
