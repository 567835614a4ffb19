"""How often the replicas of one pool died, and when the next may be tried.

Each slot backs off on its own; the pool counts them together: more crashes than the intensity limit
is `degraded`, retried at the cap, never given up and never in a hot loop.
"""

from collections import deque
from dataclasses import dataclass
from random import Random

from supervisor.core.backoff import full_jitter
from supervisor.pools.limits import Limits


@dataclass(slots=True)
class _Slot:
    crashes: int = 0
    not_before: float = 0.0


class Crashes:
    """The record of one pool. `now`: monotonic seconds, never smaller than in an earlier call."""

    def __init__(self, limits: Limits, random: Random) -> None:
        self._limits = limits
        self._random = random
        self._slots: dict[int, _Slot] = {}
        # Only the newest crashes + 1 matter: when the oldest of those is inside the window, it is too many.
        self._recent: deque[float] = deque(maxlen=limits.crashes + 1)
        self._degraded = False
        self.refused = False

    def record(self, number: int, now: float, *, ready_for_s: float) -> None:
        """Note that the replica in slot `number` died unasked, after being ready for `ready_for_s`."""
        slot = self._slots.setdefault(number, _Slot())
        if ready_for_s >= self._limits.healthy_s:
            slot.crashes = 0
        slot.crashes += 1
        self._recent.append(now)
        if len(self._recent) > self._limits.crashes and now - self._recent[0] <= self._limits.crash_window_s:
            self._degraded = True
        slot.not_before = now + self._delay(slot.crashes, now)

    def refuse(self) -> None:
        """Start no replica until `forget`: one said that its configuration cannot work."""
        self.refused = True

    def forget(self) -> None:
        """Start from a clean slate: the configuration or the code has changed."""
        self._slots.clear()
        self._recent.clear()
        self._degraded = False
        self.refused = False

    def may_start(self, number: int, now: float) -> bool:
        """Tell whether slot `number` may be filled now."""
        slot = self._slots.get(number)
        return not self.refused and (slot is None or now >= slot.not_before)

    def is_degraded(self, now: float) -> bool:
        """Tell whether the pool dies too often; over when a whole window has passed without a crash."""
        if self._degraded and now - self._recent[-1] > self._limits.crash_window_s:
            self._degraded = False
        return self._degraded

    def _delay(self, crashes: int, now: float) -> float:
        if self.is_degraded(now):
            return self._limits.backoff_cap_s
        return full_jitter(
            crashes, base_s=self._limits.backoff_base_s, cap_s=self._limits.backoff_cap_s, random=self._random
        )
