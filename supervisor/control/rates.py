"""How many in the last minute: a window that slides by the second."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

SPAN_S = 60.0


class Rates:
    """Counts by name over the last SPAN_S seconds. Times are monotonic seconds and never go back."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._seconds: deque[tuple[int, Counter[str]]] = deque()

    def add(self, counts: Mapping[Any, int], now: float) -> None:
        """Count what was reported at `now`."""
        second = int(now)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, Counter()))
        self._seconds[-1][1].update(counts)
        self._forget(now)

    def counts(self, now: float) -> Counter[str]:
        """Return the counts of the last SPAN_S seconds."""
        self._forget(now)
        return sum((counter for _, counter in self._seconds), Counter())

    def span_s(self, now: float) -> float:
        """Return what the counts are to be divided by: SPAN_S, or less soon after the start; ≥ 1."""
        return max(1.0, min(SPAN_S, now - self._started_at))

    def _forget(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= now - SPAN_S:
            self._seconds.popleft()
