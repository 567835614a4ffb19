"""The world's own time, which may run faster than ours.

An "hour" of the auction houses is an hour of this clock: with speed 60 a snapshot appears each minute.
"""

from collections.abc import Callable

HOUR_S = 3600


class WorldClock:
    """Seconds since 1970 in the world: `start` plus the elapsed time by `monotonic` times `speed`."""

    def __init__(self, *, monotonic: Callable[[], float], start: float, speed: float = 1.0) -> None:
        self._monotonic = monotonic
        self._start = start
        self._speed = speed
        self._began_at = monotonic()

    def now(self) -> float:
        """Return the world's seconds since 1970."""
        return self._start + (self._monotonic() - self._began_at) * self._speed

    def advance(self, seconds: float) -> None:
        """Jump ahead, as a test does to see the next snapshot. Negative seconds are ignored."""
        self._start += max(0.0, seconds)
