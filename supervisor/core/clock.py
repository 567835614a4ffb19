"""Time, in one place.

Everything that needs the time takes a `Clock`, so that tests can turn it by hand. Durations and
deadlines are monotonic seconds; the wall clock is for storing and for showing only.
CLOCK_MONOTONIC is one clock for all processes of a host, so a deadline may cross a socket.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tell the time and wait for it."""

    def monotonic(self) -> float:
        """Return seconds on the clock that never jumps."""
        ...

    def wall(self) -> float:
        """Return seconds since 1970, UTC. May jump; never subtract two of them."""
        ...

    async def sleep_until(self, deadline: float) -> None:
        """Return at `deadline` (monotonic seconds), at once when it has passed."""
        ...


class SystemClock:
    """The real clock."""

    def monotonic(self) -> float:
        """Return CLOCK_MONOTONIC in seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the time of day as seconds since 1970, UTC."""
        return time.time()

    async def sleep_until(self, deadline: float) -> None:
        """Sleep on the event loop until `deadline`."""
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))
