"""The permit server: the limiter with a clock, a journal and tokens around it.

    start   journal (locked) → what was spent → tokens → timer
    stop    tokens → timer → journal: clean mark, fsync
Everything between is `limiter.py`, called in the loop turn that brought the message; grants leave in the
same turn. One timer, no polling.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

from supervisor.core.clock import Clock
from supervisor.core.errors import RefusedError
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Acquire, Cancel, Grant, Refuse, Release
from supervisor.limiter.journal import Journal
from supervisor.limiter.key import CONFIGURED, Key
from supervisor.limiter.limiter import Limiter
from supervisor.limiter.statistics import LimiterStatistics, Pressure, pressure_of, statistics_of
from supervisor.limiter.timer import Timer
from supervisor.limiter.tokens import KeyCheck, TokenKeeper
from supervisor.settings.config import Config

SYNC_EVERY_S = 1.0


class PermitServer:
    """Grants permits to replicas. From the loop's thread only."""

    def __init__(self, *, config: Config, clock: Clock, events: Events, random: Random, journal_path: Path) -> None:
        self._clock = clock
        self._events = events
        self._journal_path = journal_path
        self._journal: Journal | None = None
        self._limiter = Limiter(config=config, events=events, random=random, now=clock.monotonic())
        self._timer = Timer(name="permits", clock=clock, events=events, fire=self._tick)
        self._tokens = TokenKeeper(limiter=self._limiter, clock=clock, events=events, random=random, changed=self._arm)
        self._tasks: list[asyncio.Task[None]] = []
        self._arms_soon = False

    async def start(self) -> None:
        """Open the journal and begin to grant. RefusedError when it is held; safe when called twice."""
        if self._journal is not None:
            return
        journal = self._journal = Journal(self._journal_path, clock=self._clock, events=self._events)
        self._limiter.open_records(journal.open_record, self._clock.monotonic())
        self._read_wall()
        await asyncio.to_thread(journal.sync)
        self._tokens.start()
        self._limiter.judge.on_credential_needed = self._tokens.need
        self._tasks = [
            asyncio.create_task(self._timer.run(), name="permit timer"),
            asyncio.create_task(self._keep_synced(journal), name="permit journal"),
        ]
        self._arm()

    def connect(self, replica: str, worker: str, send: Callable[[Grant | Refuse], None]) -> int:
        """Return the number of a new connection; its answers go to `send`, which must not block or raise."""
        return self._limiter.connect(replica, worker, send)

    def receive(self, connection: int, message: Acquire | Cancel | Release, now: float) -> None:
        """Take a message of a connection; answers leave through its `send`, perhaps before this returns.

        now: monotonic seconds, read after the message came. WireError: the message shows that the connection lies.
        """
        limiter = self._limiter
        if isinstance(message, Acquire):
            limiter.acquire(connection, message, now)
        elif isinstance(message, Release):
            limiter.release(connection, message, now)
        else:
            limiter.cancel(connection, message)
        if not self._arms_soon:
            # Once for all messages of a loop turn: what they ask of the timer is asked at its end.
            self._arms_soon = True
            asyncio.get_running_loop().call_soon(self._arm)

    def disconnect(self, connection: int) -> None:
        """Forget a connection; the fate of every permit it holds is unknown. Safe when called twice."""
        self._limiter.disconnect(connection, self._clock.monotonic())
        self._arm()

    def stop_starts(self, connection: int) -> None:
        """Refuse the waiting and all further starts of a replica that drains; its started jobs go on."""
        self._limiter.stop_starts(connection)

    def set_waiting(self, counts: dict[str, list[int]]) -> None:
        """Take over the claimable jobs: {worker: [urgent, normal, background]}, absent = none."""
        self._limiter.set_waiting(counts, self._clock.monotonic())
        self._arm()

    def reconfigure(self, config: Config) -> None:
        """Take keys, limits, weights and tags over. What is spent stays spent, permits that are out stay valid."""
        self._limiter.configure(config, self._clock.monotonic())
        self._read_wall()
        self._arm()

    def statistics(self) -> LimiterStatistics:
        """Return how everything stands; no credential in it."""
        return statistics_of(self._limiter, self._clock.monotonic())

    def pressure(self, worker: str) -> Pressure:
        """Return how `worker`'s slots and keys press on each other now."""
        return pressure_of(self._limiter, worker, self._clock.monotonic())

    async def verify(self, name: str | None) -> list[KeyCheck]:
        """Obtain a token of the key `name` (None = of every key) now; a quarantine ends when it comes.

        RefusedError when there is no such key. Waits for room in the key's windows.
        """
        keys = self._limiter.ring.keys if name is None else [self._named(name)]
        return list(await asyncio.gather(*(self._tokens.verify(key) for key in keys)))

    def unlock(self, name: str) -> None:
        """End a park or a quarantine of the key `name`, because a person says so. RefusedError: no such key."""
        key = self._named(name)
        now = self._clock.monotonic()
        key.standing.forgive()
        key.record.park(now)
        self._events.emit("key_unlocked", key=name)
        key.reopen()
        if key.credential is None:
            self._tokens.need(key, CONFIGURED)
        self._limiter.dispatcher.pump(now)
        self._arm()

    async def drain(self) -> None:
        """Answer every waiter DRAINING; from now on only started jobs get permits, and only soon."""
        self._limiter.drain()

    async def stop(self) -> None:
        """Stop granting, mark the journal clean and bring it to the disk. Safe when called twice or before start."""
        await self._tokens.stop()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        journal, self._journal = self._journal, None
        if journal is not None:
            await asyncio.to_thread(journal.close)

    def _read_wall(self) -> None:
        """Say where the wall clock stands: a configured phase of fixed windows follows it, nothing else does."""
        now = self._clock.monotonic()
        self._limiter.set_wall(now - self._clock.wall(), now)

    def _tick(self, now: float) -> float:
        self._limiter.tick(now)
        return self._limiter.next_at()

    def check_named(self, name: str) -> None:
        """Raise RefusedError when there is no key of this name."""
        self._named(name)

    def _named(self, name: str) -> Key:
        for key in self._limiter.ring.keys:
            if key.name == name:
                return key
        known = ", ".join(key.name for key in self._limiter.ring.keys) or "none"
        raise RefusedError(f"no key is named {name!r}; configured: {known}")

    def _arm(self) -> None:
        self._arms_soon = False
        self._timer.arm(self._limiter.next_at())

    async def _keep_synced(self, journal: Journal) -> None:
        works = True
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + SYNC_EVERY_S)
            self._read_wall()
            try:
                if journal.stamp() or not works:
                    await asyncio.to_thread(journal.sync)
                    works = True
            except OSError as error:
                # The file system's trouble, said once; what is mapped still outlives this process.
                if works:
                    self._events.emit("journal_sync_failed", error=str(error))
                works = False
