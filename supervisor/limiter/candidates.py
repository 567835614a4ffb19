"""The keys that may serve a lane, and which of them to spend next.

Among keys that can go now: the fewest 403 since its last good answer first, so that what one key may not
do another does; then the least flexible (it serves the fewest workers), then the most of the long window
left, then the fewest in flight, then the order of the file. Chosen for each request;
never fill one key first: it would be dark when a burst comes.

The order stands in a heap, so that a choice costs the same among one key and a hundred. What a key
has spent since it was ranked is seen when it comes to the top; what it has regained meanwhile (an
hour's window returns a second's worth at a time) is seen within RANKED_FOR_S. Both touch only who goes
first, never whether it may: that is asked of the key itself.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush, heapreplace

from supervisor.limiter.key import Key

RANKED_FOR_S = 1.0

Rank = tuple[int, int, float, int, int, Key]
"""The least first: (403 in a row, flexibility, share of the long window spent, in flight, place in the file, key)."""


def rank(key: Key, place: int, now: float) -> Rank:
    """Return where `key` stands among others now. place: differs between keys, so two ranks never tie."""
    return key.standing.forbidden, key.flexibility, -key.quota.left_share(now), key.quota.in_flight, place, key


class Candidates:
    """Keys that may serve the same requests. keys: in the order of the file; members: the same, as a set."""

    __slots__ = ("_heap", "_ranked_until", "keys", "members")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.keys = tuple(keys)
        self.members = frozenset(self.keys)
        self._heap: list[Rank] = []
        self._ranked_until = 0.0

    def choose(self, priority: int, now: float) -> Key | None:
        """Return the key to spend now on a request of `priority`, None when none can go."""
        if now >= self._ranked_until:
            self._rank(now)
        heap = self._heap
        passed_over: list[Rank] = []
        found = None
        while heap:
            key = self._first(now)
            if key.level(now) >= priority:
                found = key
                break
            passed_over.append(heappop(heap))
        for each in passed_over:
            heappush(heap, each)
        return found

    def _first(self, now: float) -> Key:
        """Return the key at the top, once what stands there is true."""
        heap = self._heap
        while True:
            top = heap[0]
            key = top[5]
            current = rank(key, top[4], now)
            if current <= top:
                return key
            heapreplace(heap, current)

    def _rank(self, now: float) -> None:
        self._heap = [rank(key, place, now) for place, key in enumerate(self.keys)]
        heapify(self._heap)
        self._ranked_until = now + RANKED_FOR_S
