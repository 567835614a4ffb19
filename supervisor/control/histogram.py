"""Counting how long things take, in few numbers."""

import bisect

# A job is a few requests, mostly within a second; big auction bodies and waits for quota take minutes.
JOB_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Histogram:
    """Cumulative counts by upper bound, as Prometheus draws them. bounds: seconds, rising."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect.bisect_left(self._bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        """Return how many values were counted."""
        return sum(self._counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Return [(upper bound, values up to it)], ending with "+Inf"."""
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        total, cumulative = 0, []
        for count in self._counts:
            total += count
            cumulative.append(float(total))
        return list(zip(names, cumulative, strict=True))
