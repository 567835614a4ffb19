"""Notice that nothing has worked for long, so that the program ends and whoever watches it counts a failure.

One worker that does not start is degraded, and retried; the others go on. But when no replica of any worker has been
ready for STANDSTILL_S, what is wrong may be this process itself, and systemd's new one is the better try.
"""

import asyncio
from collections.abc import Callable

from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.pools.statistics import PoolsStatistics

STANDSTILL_S = 300.0
LOOK_EVERY_S = 5.0


class Standstill:
    """Watch the pools. statistics(): of now. is_reached: nothing was ready for STANDSTILL_S though something should."""

    def __init__(self, *, statistics: Callable[[], PoolsStatistics], clock: Clock, events: Events) -> None:
        self._statistics = statistics
        self._clock = clock
        self._events = events
        self._since: float | None = None
        self.is_reached = False

    async def run(self, stop: asyncio.Event) -> None:
        """Look every LOOK_EVERY_S until it is reached; then set `stop`."""
        while not self.run_once(self._clock.monotonic()):
            await self._clock.sleep_until(self._clock.monotonic() + LOOK_EVERY_S)
        self._events.emit("standstill", seconds=STANDSTILL_S, level="error")
        stop.set()

    def run_once(self, now: float) -> bool:
        """Look now (monotonic seconds); tell whether the program should end."""
        if not self._stands_still():
            self._since = None
            return False
        if self._since is None:
            self._since = now
        self.is_reached = now - self._since >= STANDSTILL_S
        return self.is_reached

    def _stands_still(self) -> bool:
        # A pool that refused its configuration waits for another one, which no restart brings.
        wanted = [pool for pool in self._statistics().workers.values() if pool.desired_replicas and not pool.refused]
        return bool(wanted) and not any(pool.effective_replicas for pool in wanted)
