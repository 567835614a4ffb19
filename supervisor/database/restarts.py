"""Say how long to wait before the database process is started again: backoff, and a budget for crash loops.

A first death in BUDGET_S is answered at once, because everything waits for this process, and nobody else restarts with
it; only the ones after it may be a loop.
"""

from collections import deque
from random import Random

from supervisor.core.backoff import full_jitter

BACKOFF_BASE_S = 0.25
BACKOFF_CAP_S = 15.0
# More deaths than this within BUDGET_S: degraded, tried again at the cap only, never given up.
BUDGET_DEATHS = 5
BUDGET_S = 60.0


class Restarts:
    """Remember deaths (monotonic seconds)."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._deaths: deque[float] = deque(maxlen=BUDGET_DEATHS + 1)
        self.total = 0

    def died(self, now: float) -> float:
        """Note a death; return the seconds to wait."""
        self.total += 1
        self._deaths.append(now)
        if self.is_degraded(now):
            return BACKOFF_CAP_S
        earlier = sum(1 for moment in self._deaths if now - moment < BUDGET_S) - 1
        if not earlier:
            return 0.0
        return full_jitter(earlier, base_s=BACKOFF_BASE_S, cap_s=BACKOFF_CAP_S, random=self._random)

    def is_degraded(self, now: float) -> bool:
        """Tell whether it dies again and again."""
        return len(self._deaths) > BUDGET_DEATHS and now - self._deaths[0] < BUDGET_S
