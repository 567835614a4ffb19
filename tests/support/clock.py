"""A clock that moves only when a test says so."""

import asyncio
import heapq
import itertools


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
