"""Count the requests that a server may still count, in one window of one key.

The server counts a request somewhere between our send and our receiving of the answer. So a slot whose
request was answered at `r` may be used again only at `r + W + eps`; requests in flight hold their
slots (`quota.py` adds them). Then each slot has at most one arrival in any window, whatever the
network does. Never count at send: after a stall, two windows of requests arrive in one.

Two things let a slot go earlier, when they are known: `theta.py` and `phase.py`. A bucket counts in
another way (`bucket.py`). All have the face of `WindowModel`; `quota.py` makes them.
"""

import math
from collections import deque
from typing import Protocol

from supervisor.limiter.phase import Phase

LONGEST_SHORT_S = 60.0
"""Windows up to this long are counted exactly and are not paced; longer ones are counted in buckets."""

BUCKETS = 3600
"""Buckets of a long window; rounding up to a bucket's end costs at most 1/3600 of it."""

CLOCK_STEP_S = 0.0015
"""Covers servers that cut their clock to milliseconds and windows closed at both ends."""

CLOCK_RATE_ERROR = 5e-4
"""Covers two clocks that run apart; 500 ppm is the most that Linux lets NTP slew CLOCK_MONOTONIC."""


class WindowModel(Protocol):
    """What every mode of counting offers. All moments are monotonic seconds.

    limit: permits per window, may be set anew. count: answered requests that may still be counted, as of
    the last call. frees_at: when `count` falls next, inf when it is 0; `expire` need not be called before.
    is_long: counted in buckets of time, and may be paced.
    """

    limit: int
    per_s: float
    count: int
    frees_at: float
    is_long: bool

    def expire(self, now: float) -> None:
        """Forget what the server cannot count any more at `now`."""
        ...

    def charge(self, at: float, requests: int = 1) -> None:
        """Count `requests` whose answers were seen at `at`."""
        ...

    def entries(self) -> list[tuple[float, int]]:
        """Return what is counted, oldest first: (moment, requests)."""
        ...

    def recount(self, now: float, theta_s: float, phase: Phase | None) -> None:
        """Go by this theta and this phase from now on, also for what was forgotten under others."""
        ...


class SlidingWindow:
    """The provable default: no slot is reused within `per_s` + eps after its answer.

    limit: permits per window, ≥ 1, may be set anew. count: answered requests not yet expired.
    Entries are [moment of the answer, requests], moments never decrease: a FIFO, no heap. In a long
    window the moment is the end of its bucket. O(1) per request.
    With a theta or a phase entries are forgotten early; they stay at hand until the plain rule forgets
    them too, because a theta that falls or a phase that is withdrawn makes them count again.
    """

    __slots__ = (
        "_blocks_s",
        "_entries",
        "_forgotten",
        "_grain_s",
        "_phase",
        "_plain_s",
        "count",
        "frees_at",
        "is_long",
        "limit",
        "per_s",
    )

    def __init__(self, limit: int, per_s: float) -> None:
        self.limit = limit
        self.per_s = per_s
        self.count = 0
        self.frees_at = math.inf
        self.is_long = per_s > LONGEST_SHORT_S
        self._grain_s = per_s / BUCKETS if self.is_long else 0.0
        self._plain_s = per_s + CLOCK_STEP_S + per_s * CLOCK_RATE_ERROR
        self._blocks_s = self._plain_s
        self._phase: Phase | None = None
        self._entries: deque[list[float]] = deque()
        self._forgotten: deque[list[float]] = deque()

    def expire(self, now: float) -> None:
        """Forget what the server cannot count any more at `now`."""
        entries = self._entries
        is_plain = self._blocks_s == self._plain_s and self._phase is None
        while entries and self._frees(entries[0][0]) <= now:
            entry = entries.popleft()
            self.count -= int(entry[1])
            if not is_plain:
                self._forgotten.append(entry)
        self.frees_at = self._frees(entries[0][0]) if entries else math.inf
        forgotten = self._forgotten
        while forgotten and forgotten[0][0] + self._plain_s <= now:
            forgotten.popleft()

    def charge(self, at: float, requests: int = 1) -> None:
        """Count `requests` whose answers were seen at `at`; earlier than the newest entry counts as that one's."""
        if not requests:
            return
        entries = self._entries
        if entries and entries[-1][0] >= at:
            # First, because it is nearly always so in a long window, where a bucket's moment is its end.
            entries[-1][1] += requests
            self.count += requests
            return
        if self._grain_s:
            at = math.ceil(at / self._grain_s) * self._grain_s
        if not entries:
            if self._forgotten:
                # Moments never decrease, over both.
                at = max(at, self._forgotten[-1][0])
            self.frees_at = self._frees(at)
        entries.append([at, requests])
        self.count += requests

    def entries(self) -> list[tuple[float, int]]:
        """Return what is counted, oldest first: (moment, requests)."""
        return [(at, int(requests)) for at, requests in self._entries]

    def recount(self, now: float, theta_s: float, phase: Phase | None) -> None:
        """Go by this theta and this phase from now on, also for what was forgotten under others.

        theta_s: 0..per_s. Nothing is gained in a long window, so nothing changes there.
        """
        if self.is_long:
            return
        self._blocks_s = self._plain_s - min(theta_s, self.per_s)
        self._phase = phase
        forgotten = self._forgotten
        while forgotten and self._frees(forgotten[-1][0]) > now:
            entry = forgotten.pop()
            self._entries.appendleft(entry)
            self.count += int(entry[1])
        self.expire(now)

    def _frees(self, at: float) -> float:
        """Return when what was answered at `at` is forgotten. Either rule alone is safe, so the earlier one holds."""
        frees_at = at + self._blocks_s
        if self._phase is None:
            return frees_at
        return min(frees_at, self._phase.frees_at(at, self.per_s))
