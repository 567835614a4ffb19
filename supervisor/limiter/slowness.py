"""Notice an hour that is used up although nothing was refused: the key's answers have become slow.

Over its hourly quota the API gives "slower service" instead of a 429 (developer portal, as quoted in
avivbiton/BlizzardApiReader issue 10, 2020). So a key with hardly anything left of its longest window whose answers
take three times as long as those of the other keys is treated as if the window were spent: parked for a minute,
then probed.
"""

from collections.abc import Iterable
from statistics import median

from supervisor.core.events import Events
from supervisor.limiter.feedback import State
from supervisor.limiter.key import Key

ANSWERS = 32
"""A median is taken of so many answers in a row."""
TIMES_SLOWER = 3.0
MIN_LEFT_SHARE = 0.05
COMPARABLE_S = 600.0
"""Medians older than this say nothing about now."""
PARK_S = 60.0


class Slowness:
    """The round trips of each key: those of the block under way, and the median of the last whole one."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._under_way: dict[Key, list[float]] = {}
        self._medians: dict[Key, tuple[float, float]] = {}

    def answered(self, key: Key, rtt_s: float, now: float) -> None:
        """Take note of an answer; park the key when it has become slow at the end of its hour."""
        block = self._under_way.setdefault(key, [])
        block.append(rtt_s)
        if len(block) < ANSWERS:
            return
        own = median(block)
        block.clear()
        self._medians[key] = (own, now)
        if key.standing.state is not State.OK or key.quota.left_share(now) >= MIN_LEFT_SHARE:
            return
        others = list(self._others(key, now))
        if others and own > TIMES_SLOWER * median(others):
            self._park(key, own, median(others), now)

    def keep(self, keys: Iterable[Key]) -> None:
        """Forget the keys that are not among these."""
        gone = self._under_way.keys() - set(keys)
        for key in gone:
            del self._under_way[key]
            self._medians.pop(key, None)

    def _others(self, key: Key, now: float) -> Iterable[float]:
        for other, (took_s, at) in self._medians.items():
            if other is not key and other.api.name == key.api.name and now - at < COMPARABLE_S:
                yield took_s

    def _park(self, key: Key, own_s: float, others_s: float, now: float) -> None:
        reason = f"its hour is spent: answers take {own_s * 1000:.0f} ms, those of other keys {others_s * 1000:.0f} ms"
        key.standing.park(now + PARK_S, reason)
        key.record.park(now + PARK_S)
        key.reopen()
        self._events.emit("key_slowed", level="warning", key=key.name, reason=reason, for_s=PARK_S)
