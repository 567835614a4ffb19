"""How long things take, in few numbers."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramStatistics:
    """counts[i]: values in (bounds_s[i-1], bounds_s[i]]; the last one, beyond all bounds. sum: seconds."""

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """Return how many values were counted."""
        return sum(self.counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Return [(upper bound, values up to it)], ending with "+Inf", as Prometheus draws them."""
        names = [*(f"{bound:g}" for bound in self.bounds_s), "+Inf"]
        return list(zip(names, map(float, accumulate(self.counts)), strict=True))


class Histogram:
    """Count durations in fixed buckets. bounds_s: seconds, rising."""

    __slots__ = ("_bounds_s", "_counts", "_sum_s")

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration, ≥ 0."""
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self._sum_s += seconds

    def statistics(self) -> HistogramStatistics:
        """Return the counts so far."""
        return HistogramStatistics(bounds_s=self._bounds_s, counts=tuple(self._counts), sum=self._sum_s)
