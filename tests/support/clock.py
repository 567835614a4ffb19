"""Clocks of tests: one that moves only when a test says so, and one that a test pushes on."""

import asyncio
import heapq
import itertools
import time
from contextlib import suppress


class FakeClock:
    """Stand in for `SystemClock`: `advance` moves both clocks and wakes sleepers in order."""

    def __init__(self, monotonic: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._wall

    async def sleep_until(self, deadline: float) -> None:
        if deadline <= self._monotonic:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (deadline, next(self._order), future))
        await future

    @property
    def sleepers(self) -> int:
        """Return how many wait for this clock."""
        return len(self._sleepers)

    def jump_wall(self, seconds: float) -> None:
        """Step the time of day, as an operator or NTP does; durations do not notice."""
        self._wall += seconds

    def set(self, monotonic: float) -> None:
        """Move to a moment without waking anyone (for code without an event loop)."""
        self._wall += monotonic - self._monotonic
        self._monotonic = monotonic

    async def advance(self, seconds: float) -> None:
        """Move on, waking each sleeper at its own moment and letting it run."""
        end = self._monotonic + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            deadline, _, future = heapq.heappop(self._sleepers)
            self.set(max(deadline, self._monotonic))
            if not future.done():
                future.set_result(None)
            for _ in range(10):
                await asyncio.sleep(0)
        self.set(end)
        for _ in range(10):
            await asyncio.sleep(0)


class HastyClock:
    """The real clock plus what a test skipped: `skip` moves both clocks on and wakes whoever's time has come.

    For tests with real sockets, whose own timeouts pass in real time, and with hours between two of their steps.
    """

    def __init__(self, wall: float = 1_790_000_000.0) -> None:
        self._began_at = time.monotonic()
        self._wall = wall
        self._skipped_s = 0.0
        self._skips: set[asyncio.Event] = set()

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped_s

    def wall(self) -> float:
        return self._wall + self.monotonic() - self._began_at

    async def sleep_until(self, deadline: float) -> None:
        skipped = asyncio.Event()
        self._skips.add(skipped)
        try:
            while (left_s := deadline - self.monotonic()) > 0:
                skipped.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(skipped.wait(), left_s)
        finally:
            self._skips.discard(skipped)

    def skip(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._skipped_s += seconds
        for skipped in self._skips:
            skipped.set()
