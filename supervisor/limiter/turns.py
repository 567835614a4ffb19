"""Whose turn it is among the workers that want the same key: stride.

Each grant moves the worker's virtual time on by 1/weight (an urgent one by 1/(8 · weight)); the worker
furthest behind goes first. Nobody starves: every virtual time in the queue is reached. Virtual times
are kept per key, because only workers that want the same key compete: with one clock for all, a busy
key would push on those who wait at a slow one.
"""

URGENT_FACTOR = 8.0


class Turns:
    """The stride of one key: virtual times of the workers that it serves."""

    __slots__ = ("_now", "_times")

    def __init__(self) -> None:
        self._now = 0.0
        self._times: dict[str, float] = {}

    def place(self, worker: str) -> float:
        """Return the worker's virtual time; the smallest goes first. Who was away starts now, with no arrears."""
        time = self._times.get(worker, 0.0)
        return time if time > self._now else self._now

    def served(self, worker: str, weight: float, *, is_urgent: bool) -> None:
        """Move the worker on by one grant."""
        place = self.place(worker)
        self._now = place
        if is_urgent:
            weight *= URGENT_FACTOR
        self._times[worker] = place + 1.0 / weight
