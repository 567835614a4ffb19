"""Count the requests that a server may still count, in one window of one key.

The server counts a request somewhere between our send and our receiving of the answer. So a slot whose
request was answered at `r` may be used again only at `r + W + eps`; requests in flight hold their
slots (`quota.py` adds them). Then each slot has at most one arrival in any window, whatever the
network does. Never count at send: after a stall, two windows of requests arrive in one.

`mode` and `theta` are data of the API. A further mode is a further class with this face, named in
`_MODES`; callers do not change.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

from supervisor.core.errors import ConfigurationError
from supervisor.settings.config import Window

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

    limit: permits per window. count: answered requests that may still be counted, as of the last call.
    frees_at: when the oldest of them expires, inf when none is counted; `expire` need not be called before.
    """

    limit: int
    per_s: float
    count: int
    frees_at: float

    @property
    def is_long(self) -> bool:
        """Tell whether this window is counted in buckets and may be paced."""
        ...

    def expire(self, now: float) -> None:
        """Forget what the server cannot count any more at `now`."""
        ...

    def charge(self, at: float, requests: int = 1) -> None:
        """Count `requests` whose answers were seen at `at`."""
        ...

    def entries(self) -> list[tuple[float, int]]:
        """Return what is counted, oldest first: (moment, requests)."""
        ...


class SlidingWindow:
    """The provable default: no slot is reused within `per_s` + eps after its answer.

    limit: permits per window, ≥ 1, may be set anew. count: answered requests not yet expired.
    Entries are [moment of the answer, requests], moments never decrease: a FIFO, no heap. In a long
    window the moment is the end of its bucket. O(1) per request.
    """

    __slots__ = ("_blocks_s", "_entries", "_grain_s", "count", "frees_at", "is_long", "limit", "per_s")

    def __init__(self, limit: int, per_s: float) -> None:
        self.limit = limit
        self.per_s = per_s
        self.count = 0
        self.frees_at = math.inf
        self.is_long = per_s > LONGEST_SHORT_S
        self._grain_s = per_s / BUCKETS if self.is_long else 0.0
        self._blocks_s = per_s + CLOCK_STEP_S + per_s * CLOCK_RATE_ERROR
        self._entries: deque[list[float]] = deque()

    def expire(self, now: float) -> None:
        """Forget what the server cannot count any more at `now`."""
        entries = self._entries
        while entries and entries[0][0] + self._blocks_s <= now:
            self.count -= int(entries.popleft()[1])
        self.frees_at = entries[0][0] + self._blocks_s if entries else math.inf

    def charge(self, at: float, requests: int = 1) -> None:
        """Count `requests` whose answers were seen at `at`; earlier than the newest entry counts as that one's."""
        if not requests:
            return
        if self._grain_s:
            at = math.ceil(at / self._grain_s) * self._grain_s
        entries = self._entries
        if not entries:
            self.frees_at = at + self._blocks_s
        if entries and entries[-1][0] >= at:
            entries[-1][1] += requests
        else:
            entries.append([at, requests])
        self.count += requests

    def entries(self) -> list[tuple[float, int]]:
        """Return what is counted, oldest first: (moment, requests)."""
        return [(at, int(requests)) for at, requests in self._entries]


_MODES: dict[str, Callable[[int, float], WindowModel]] = {"sliding": SlidingWindow}
_THETAS = frozenset({"off"})


def make_window(window: Window, *, use: float, mode: str, theta: str) -> WindowModel:
    """Return an empty window of `mode` for `use` (0..1] of the limit.

    ConfigurationError for a mode or theta that is not built yet.
    """
    if mode not in _MODES:
        raise ConfigurationError([f"mode {mode!r} is not available, only {', '.join(sorted(_MODES))}"])
    if theta not in _THETAS:
        raise ConfigurationError([f"theta {theta!r} is not available, only {', '.join(sorted(_THETAS))}"])
    return _MODES[mode](scaled(window, use), window.per_s)


def scaled(window: Window, use: float) -> int:
    """Return the permits per window when the key may use the share `use` of its limit; at least one."""
    # The small term keeps 0.7 · 100 = 70: binary fractions fall just below.
    return max(1, math.floor(window.requests * use + 1e-9))
