"""Count the requests in a server's token bucket: N at once, then N per W, without a pause.

The server fills a level by one for each arrival and lets it leak at N/W; it refuses what would lift it
above N. We do the same, but each request in flight counts in full (`quota.py` adds them) and only
its answer begins to leak: the level at the server is never above ours. The leak never pauses, so
all of N/W is used, as long as N slots are more than the requests in flight.
"""

import math

from supervisor.limiter.window import CLOCK_RATE_ERROR, CLOCK_STEP_S

ROUNDING = 1e-6
"""Of a request: what additions lose; the slower clock that is assumed gives away far more."""


class BucketWindow:
    """A bucket of `limit` requests that leaks limit / per_s each second. See `WindowModel`.

    count: the level as of the last call, a part of a request is a whole one.
    """

    __slots__ = ("_at", "_level", "_limit", "_per_request_s", "count", "frees_at", "is_long", "per_s")

    def __init__(self, limit: int, per_s: float) -> None:
        self.per_s = per_s
        self.is_long = False
        self.count = 0
        self.frees_at = math.inf
        # The level was `_level` at `_at`, and leaks from then on.
        self._level = 0.0
        self._at = -math.inf
        self.limit = limit

    @property
    def limit(self) -> int:
        """Requests that the bucket holds."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = limit
        self._per_request_s = self.per_s * (1.0 + CLOCK_RATE_ERROR) / limit
        self._note()

    def expire(self, now: float) -> None:
        """Let it leak until `now`."""
        if now <= self._at:
            return
        self._level = max(0.0, self._level - (now - self._at) / self._per_request_s)
        self._at = now
        self._note()

    def charge(self, at: float, requests: int = 1) -> None:
        """Count `requests` whose answers were seen at `at`; those of the future do not leak before."""
        if not requests:
            return
        self.expire(at + CLOCK_STEP_S)
        self._level += requests
        self._note()

    def entries(self) -> list[tuple[float, int]]:
        """Return what is counted: (moment, requests)."""
        return [(self._at, self.count)] if self.count else []

    def recount(self, now: float, theta_s: float, phase: object) -> None:
        """Do nothing: the leak does not wait for answers, so there is nothing to gain."""

    def _note(self) -> None:
        self.count = math.ceil(self._level - ROUNDING)
        surplus = self._level - (self.count - 1)
        self.frees_at = self._at + surplus * self._per_request_s if self.count else math.inf
