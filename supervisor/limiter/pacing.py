"""Spread a long window over its length, by priority.

Spending 36,000 requests as fast as 100 a second allow leaves a key dark for 54 minutes of each hour.
So, in a paced window of N per W:

    background   draws on a GCRA of 0.9 · N/W with a burst of min(1000, N/36), and only below 0.9 N
    normal       may burst below 0.9 N
    urgent       may spend all: the last tenth is its alone

This only ever says "not yet"; the window itself stays the hard limit.
"""

import math
from collections.abc import Iterable

from supervisor.core.job import Priority

OPEN_SHARE = 0.9
"""Share of the window that is open to all; the rest is kept for urgent requests."""

MAX_BURST = 1000
BURST_DIVISOR = 36

# As plain integers: they are compared for every grant, and an IntEnum costs ten times as much.
_URGENT, _NORMAL, _BACKGROUND = (int(priority) for priority in Priority)


class Pacing:
    """Pace one long window. GCRA by its theoretical arrival time, monotonic seconds."""

    __slots__ = ("_arrival_at", "_closed_at", "_interval_s", "_open_limit", "_slack_s")

    def __init__(self, limit: int, per_s: float) -> None:
        self._arrival_at = -math.inf
        # When the open share was last seen spent, None = it has room.
        self._closed_at: float | None = None
        self.resize(limit, per_s)

    def resize(self, limit: int, per_s: float) -> None:
        """Pace `limit` requests per `per_s` from now on."""
        self._open_limit = max(1, math.floor(limit * OPEN_SHARE + 1e-9))
        self._interval_s = per_s / (limit * OPEN_SHARE)
        burst = max(1.0, min(MAX_BURST, limit / BURST_DIVISOR))
        # A little more than burst - 1 intervals: a thousand additions must not round one of them away.
        self._slack_s = (burst - 1 + 1e-6) * self._interval_s

    def level(self, used: int, now: float) -> int:
        """Return the least urgent `Priority` that may go when `used` are counted or in flight.

        While the open share is used up no burst is earned; otherwise the burst of a first minute
        would return every hour, with everybody else shut out just before it.
        """
        if used >= self._open_limit:
            if self._closed_at is not None:
                self._arrival_at = max(self._arrival_at, self._closed_at) + now - self._closed_at
            self._closed_at = now
            return _URGENT
        self._closed_at = None
        return _BACKGROUND if self._arrival_at - self._slack_s <= now else _NORMAL

    def is_open(self, used: int) -> bool:
        """Tell whether the open share has room."""
        return used < self._open_limit

    def frees_at(self, priority: int) -> float:
        """Return when the GCRA lets a request of `priority` go; -inf when it is not the GCRA that decides."""
        return self._arrival_at - self._slack_s if priority == _BACKGROUND else -math.inf

    def granted(self, priority: int, now: float) -> None:
        """Take note of a grant."""
        if priority == _BACKGROUND:
            self._arrival_at = max(self._arrival_at, now) + self._interval_s

    def not_sent(self, priority: int) -> None:
        """Take a grant back."""
        if priority == _BACKGROUND:
            self._arrival_at -= self._interval_s

    def replay(self, charges: Iterable[tuple[float, int]], now: float) -> None:
        """Draw what was spent before a restart, oldest first, so that a restart brings no second burst.

        The charges do not tell who spent them; what others spent must not keep the background waiting,
        so at most the burst is drawn.
        """
        for at, requests in charges:
            self._arrival_at = max(self._arrival_at, at) + requests * self._interval_s
        self._arrival_at = min(self._arrival_at, now + self._slack_s)
