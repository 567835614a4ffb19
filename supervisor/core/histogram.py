"""How long things take, in few numbers."""

from bisect import bisect_left
from collections.abc import Iterable
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

    def since(self, before: "HistogramStatistics") -> "HistogramStatistics":
        """Return what was counted after `before`, an earlier look at the same histogram."""
        counts = tuple(max(0, now - then) for now, then in zip(self.counts, before.counts, strict=True))
        return HistogramStatistics(bounds_s=self.bounds_s, counts=counts, sum=max(0.0, self.sum - before.sum))

    def quantile(self, share: float) -> float:
        """Return the seconds that `share` (0..1) of the values do not exceed, straight lines within a bucket.

        0 when nothing was counted; the last bound for what lies beyond it.
        """
        rank, below = share * self.count, 0
        for index, count in enumerate(self.counts[:-1]):
            if count and below + count >= rank:
                low = self.bounds_s[index - 1] if index else 0.0
                return low + (self.bounds_s[index] - low) * max(0.0, rank - below) / count
            below += count
        return self.bounds_s[-1] if self.count else 0.0


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


def merged(parts: Iterable[HistogramStatistics]) -> HistogramStatistics | None:
    """Return the sum of histograms with the same bounds; None of none."""
    total: HistogramStatistics | None = None
    for part in parts:
        if total is None:
            total = part
            continue
        counts = tuple(a + b for a, b in zip(total.counts, part.counts, strict=True))
        total = HistogramStatistics(bounds_s=part.bounds_s, counts=counts, sum=total.sum + part.sum)
    return total
