"""When a key's token must be obtained: decisions only.

due ──obtain──▶ valid ──90 % of its life──▶ due
 ▲ ──failed──▶ backoff (the old token serves on while it is valid), or until another key obtains one
 └──rejected──▶ in ten minutes: a new client may take that long to work, and outages end
"""

import math
from random import Random

from supervisor.core.backoff import full_jitter

REFRESH_SHARE = 0.9
MIN_LIFE_S = 10.0
"""A server that repeats its token until it expires answers with ever shorter lives; not asked more often than this."""
BACKOFF_BASE_S = 1.0
BACKOFF_CAP_S = 60.0
REJECTED_AGAIN_S = 600.0


class TokenPlan:
    """The plan of one key. due_at, expires_at: monotonic seconds; inf = not planned; -inf = no token."""

    __slots__ = ("_failures", "due_at", "expires_at")

    def __init__(self) -> None:
        self.due_at = math.inf
        self.expires_at = -math.inf
        self._failures = 0

    def need(self, at: float) -> None:
        """Obtain a token at `at`, or earlier if that is planned already."""
        self.due_at = min(self.due_at, at)

    def obtained(self, expires_in_s: float, now: float) -> None:
        """Take note of a token with `expires_in_s` to live."""
        self._failures = 0
        self.expires_at = now + expires_in_s
        self.due_at = now + max(min(MIN_LIFE_S, expires_in_s), expires_in_s * REFRESH_SHARE)

    def failed(self, now: float, random: Random) -> None:
        """Try again after a backoff."""
        self._failures += 1
        # Never at once: full jitter may say zero, and each try costs a request of the key.
        wait_s = BACKOFF_BASE_S / 2 + full_jitter(
            self._failures, base_s=BACKOFF_BASE_S, cap_s=BACKOFF_CAP_S, random=random
        )
        self.due_at = now + wait_s

    def rejected(self, now: float) -> None:
        """Try again much later."""
        self._failures = 0
        self.due_at = now + REJECTED_AGAIN_S

    def lost(self) -> None:
        """Forget the token: it was refused, or belongs to another login."""
        self.expires_at = -math.inf

    @property
    def is_failing(self) -> bool:
        """Tell whether the last try brought no answer that means anything."""
        return self._failures > 0

    def is_valid(self, now: float) -> bool:
        """Tell whether the last token may be sent now."""
        return now < self.expires_at
