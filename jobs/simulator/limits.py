"""How the API may count requests: three kinds of window, each exact, each without any tolerance.

The real API says "429 for the remainder of the second until the quota refreshes" (portal, guides/getting-started,
quoted in public copies of 2020-2026): a window, whose shape and alignment nobody documents. So the default judge is
the strictest of all, the sliding log, and the others exist to see that a client is well with them too.

Moments are seconds of CLOCK_MONOTONIC at which a request arrived; they never go back.
"""

from collections import deque
from typing import Protocol


class Window(Protocol):
    """Counts the requests of one client over `per_s` seconds."""

    limit: int
    per_s: float

    def has_room(self, now: float) -> bool:
        """Return whether a request that arrives now is within the limit. Counts nothing."""
        ...

    def count(self, now: float) -> None:
        """Count a request that arrived now, within the limit or not."""
        ...

    def used(self, now: float) -> int:
        """Return how many requests count at `now`."""
        ...


class SlidingLog:
    """No more than `limit` requests in any span of `per_s`: each counts until exactly `per_s` after its arrival."""

    def __init__(self, limit: int, per_s: float) -> None:
        self.limit = limit
        self.per_s = per_s
        self._arrivals: deque[float] = deque()

    def has_room(self, now: float) -> bool:
        """See `Window`."""
        return self.used(now) < self.limit

    def count(self, now: float) -> None:
        """See `Window`."""
        self._arrivals.append(now)

    def used(self, now: float) -> int:
        """See `Window`."""
        arrivals = self._arrivals
        while arrivals and arrivals[0] <= now - self.per_s:
            arrivals.popleft()
        return len(arrivals)


class FixedWindow:
    """No more than `limit` requests between two ticks of a clock that ticks at multiples of `per_s`."""

    def __init__(self, limit: int, per_s: float) -> None:
        self.limit = limit
        self.per_s = per_s
        self._window = -1
        self._count = 0

    def has_room(self, now: float) -> bool:
        """See `Window`."""
        return self.used(now) < self.limit

    def count(self, now: float) -> None:
        """See `Window`."""
        self._count = self.used(now) + 1

    def used(self, now: float) -> int:
        """See `Window`."""
        window = int(now // self.per_s)
        if window != self._window:
            self._window, self._count = window, 0
        return self._count


class TokenBucket:
    """A bucket of `limit` requests, full at first, that fills at limit / per_s each second."""

    def __init__(self, limit: int, per_s: float) -> None:
        self.limit = limit
        self.per_s = per_s
        self._level = float(limit)
        self._at = 0.0

    def has_room(self, now: float) -> bool:
        """See `Window`. The billionth allows for what additions lose to rounding, for nothing more."""
        self._fill(now)
        return self._level >= 1.0 - 1e-9

    def count(self, now: float) -> None:
        """See `Window`."""
        self._fill(now)
        self._level = max(0.0, self._level - 1.0)

    def used(self, now: float) -> int:
        """See `Window`; part of a request is none."""
        self._fill(now)
        return int(self.limit - self._level + 1e-9)

    def _fill(self, now: float) -> None:
        self._level = min(self.limit, self._level + max(0.0, now - self._at) * self.limit / self.per_s)
        self._at = max(self._at, now)


MODES = ("sliding", "fixed", "bucket")


def window(mode: str, limit: int, per_s: float) -> Window | None:
    """Return a fresh window, None when `limit` is 0 (no limit)."""
    if limit <= 0:
        return None
    if mode == "fixed":
        return FixedWindow(limit, per_s)
    return TokenBucket(limit, per_s) if mode == "bucket" else SlidingLog(limit, per_s)
