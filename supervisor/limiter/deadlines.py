"""Waiters by deadline: whoever's has passed is refused, never granted late."""

import heapq
import itertools
import math

from supervisor.limiter.fairness import Waiter

MIN_REBUILD = 1000


class Deadlines:
    """A heap of waiters. Those that are over stay in it until their deadline or until they are the most."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Waiter]] = []
        self._order = itertools.count()

    def add(self, waiter: Waiter, waiting: int) -> None:
        """Watch a waiter. waiting: how many there are in all; bounds the heap to twice as many."""
        if len(self._heap) > MIN_REBUILD + 2 * waiting:
            self._heap = [entry for entry in self._heap if not entry[2].is_over]
            heapq.heapify(self._heap)
        heapq.heappush(self._heap, (waiter.deadline, next(self._order), waiter))

    def passed(self, now: float) -> list[Waiter]:
        """Return and forget the waiters still waiting whose deadline is now or earlier."""
        found = []
        heap = self._heap
        while heap and (heap[0][0] <= now or heap[0][2].is_over):
            waiter = heapq.heappop(heap)[2]
            if not waiter.is_over:
                found.append(waiter)
        return found

    def next_at(self) -> float:
        """Return a moment not later than the next deadline, inf when nobody waits."""
        return self._heap[0][0] if self._heap else math.inf
