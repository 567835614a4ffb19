"""Servers that judge one stream of arrivals: each counts in its own way and refuses what is over its limit.

The counting is that of the simulated API, which shares no code with the limiter; here it is told virtual
time. Several judge the same stream, because what is sent does not depend on what they say.
"""

from collections.abc import Callable

from jobs.simulator.limits import FixedWindow, SlidingLog, TokenBucket, Window

LOG, FIXED, BUCKET = "log", "fixed", "bucket"


class Judge:
    """One server. began_at: when its windows tick, in our time; only the fixed one cares."""

    def __init__(self, kind: str, limit: int, per_s: float, began_at: float = 0.0) -> None:
        kinds: dict[str, Callable[[int, float], Window]] = {LOG: SlidingLog, FIXED: FixedWindow, BUCKET: TokenBucket}
        self.kind = kind
        self._window = kinds[kind](limit, per_s)
        self._began_at = began_at
        self.counted = 0
        self.refused = 0

    def arrives(self, now: float) -> bool:
        """Count a request that arrives now; False = refused, and not counted."""
        window = self._window
        if not window.has_room(now - self._began_at):
            self.refused += 1
            return False
        window.count(now - self._began_at)
        self.counted += 1
        return True
