"""How long granted permits were waited for."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramStatistics:
    """counts[i]: values in (bounds_s[i-1], bounds_s[i]]; the last one, beyond all bounds. sum: seconds."""

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    def buckets(self) -> list[tuple[str, float]]:
        """Return [(upper bound, values up to it)], ending with "+Inf", as Prometheus draws them."""
        names = [*(f"{bound:g}" for bound in self.bounds_s), "+Inf"]
        return list(zip(names, map(float, accumulate(self.counts)), strict=True))


class Histogram:
    """Count durations in fixed buckets."""

    __slots__ = ("_counts", "_sum_s")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration, ≥ 0."""
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self._sum_s += seconds

    def statistics(self) -> HistogramStatistics:
        """Return the counts so far."""
        return HistogramStatistics(bounds_s=BOUNDS_S, counts=tuple(self._counts), sum=self._sum_s)
