"""Which way of counting a window has: `mode` is data of the API, the classes know nothing of each other.

    mode      short windows (up to LONGEST_SHORT_S)           long windows
    sliding   `SlidingWindow`                                 `SlidingWindow`
    fixed     `SlidingWindow` with a phase (`evidence.py`)    `SlidingWindow`
    bucket    `BucketWindow`                                  `SlidingWindow`

A long window always slides: that is right for every way in which an API may count, and what another
rule could gain is a round trip in an hour.
"""

import math

from supervisor.limiter.bucket import BucketWindow
from supervisor.limiter.window import LONGEST_SHORT_S, SlidingWindow, WindowModel
from supervisor.settings.config import Window

BUCKET = "bucket"


def make_window(window: Window, *, use: float, mode: str) -> WindowModel:
    """Return an empty window of `mode` for `use` (0..1] of the limit."""
    limit = scaled(window, use)
    if is_bucket(window, mode):
        return BucketWindow(limit, window.per_s)
    return SlidingWindow(limit, window.per_s)


def is_bucket(window: Window, mode: str) -> bool:
    """Tell whether `window` is counted as a bucket."""
    return mode == BUCKET and window.per_s <= LONGEST_SHORT_S


def scaled(window: Window, use: float) -> int:
    """Return the permits per window when the key may use the share `use` of its limit; at least one."""
    # The small term keeps 0.7 · 100 = 70: binary fractions fall just below.
    return max(1, math.floor(window.requests * use + 1e-9))
