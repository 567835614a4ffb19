"""What a key's answers tell beyond their number, and what its short windows may make of it.

theta (how much earlier than its answer a request was counted) comes from round trips, the phase of fixed
windows from the Date of answers or from the configuration. Both let a slot go earlier than the plain
sliding rule, which needs neither. So a 429 that cannot have come puts them in doubt: theta is halved
for ten minutes, and fixed windows count as sliding for an hour.
"""

import math

from supervisor.limiter.phase import DateReader, Phase, is_better
from supervisor.limiter.theta import MAX_THETA_S, Theta
from supervisor.settings.config import Api

FIXED, AUTO = "fixed", "auto"
FALL_BACK_S = 3600.0
WALL_ERROR_S = 0.005
"""How far this machine's clock and the server's may be apart when the phase is configured; NTP keeps both nearer."""
WALL_MOVED_S = 0.001
"""A wall clock that has moved by more than this moves the phase."""
RENEW_S = 60.0
"""A phase widens with its age, so it is read anew this often though nothing has moved."""


class Evidence:
    """What is known for one key. theta_s: seconds. learns: answers must be shown to `heard`."""

    __slots__ = ("_api", "_fallen_until", "_phase", "_read_at", "_reader", "_zero_at", "learns", "theta")

    def __init__(self, api: Api) -> None:
        self.theta = Theta()
        self._reader = DateReader()
        self._phase: Phase | None = None
        self._fallen_until = -math.inf
        # Unix time 0 of this machine's clock in monotonic seconds; None = nobody has said.
        self._zero_at: float | None = None
        self._read_at = -math.inf
        self.learns = False
        self._api = api
        self.follow(api)

    def follow(self, api: Api) -> None:
        """Take settings over; what is learnt stays known as long as it is used."""
        before, self._api = self._api, api
        if api.theta != AUTO:
            self.theta = Theta()
        if (before.mode, before.phase_s) != (api.mode, api.phase_s):
            self._reader, self._phase = DateReader(), None
            self._fallen_until = -math.inf
        self.learns = api.is_learning

    @property
    def theta_s(self) -> float:
        """Return how much earlier than their answers requests were surely counted."""
        return self.theta.value

    @property
    def unseen_s(self) -> float:
        """Return how much later than the last moment of its counting a request that nobody answered is charged.

        theta counts on the way back that an answer has behind it, and may grow until the slot is free.
        """
        return MAX_THETA_S if self._api.theta == AUTO else 0.0

    def phase(self, now: float) -> Phase | None:
        """Return the tick of the server's windows to go by; None = count as sliding."""
        if self._api.mode != FIXED or now < self._fallen_until:
            return None
        if self._api.phase_s is None:
            return self._phase
        if self._zero_at is None:
            return None
        tick_at = self._zero_at + self._api.phase_s
        return Phase(tick_at - WALL_ERROR_S, tick_at + WALL_ERROR_S, self._read_at)

    def wall(self, zero_at: float, now: float) -> bool:
        """Take note where Unix time 0 of this machine's clock lies; tell whether the windows must be told."""
        if self._api.mode != FIXED or self._api.phase_s is None:
            return False
        is_over = self._has_ended_fall_back(now)
        before = self._zero_at
        if before is not None and abs(zero_at - before) <= WALL_MOVED_S and now - self._read_at < RENEW_S:
            return is_over
        self._zero_at, self._read_at = zero_at, now
        return True

    def heard(self, *, sent_at: float, now: float, rtt_s: float, date_s: float, path: str) -> bool:
        """Take note of an answer; tell whether the windows must be told.

        sent_at: at or before the sending. date_s: Unix seconds of its Date, 0 = none.
        """
        changed = self._has_ended_fall_back(now)
        if self._api.theta == AUTO and rtt_s > 0.0 and self.theta.heard(path, rtt_s, now):
            changed = True
        if date_s and self._api.mode == FIXED and self._api.phase_s is None:
            self._reader.heard(sent_at=sent_at, seen_at=now, date_s=date_s)
            found = self._reader.phase()
            if found is not None and is_better(found, self._phase, now):
                self._phase = found
                changed = True
        return changed

    def contradicted(self, now: float) -> str:
        """Return why nothing that was read of Dates can be believed, after falling back; "" = all is well."""
        if not self._reader.contradicts:
            return ""
        self._fall_back(now)
        return "the Dates of its answers contradict each other: its windows count as sliding for an hour"

    def doubted(self, now: float) -> str:
        """Return what a 429 that cannot have come has changed, "" = nothing."""
        changes = []
        if self._api.mode == FIXED and now >= self._fallen_until and self.phase(now) is not None:
            self._fall_back(now)
            changes.append("its windows count as sliding for an hour")
        if self._api.theta == AUTO and self.theta.doubted(now):
            changes.append("theta is halved for ten minutes")
        return " and ".join(changes)

    def _has_ended_fall_back(self, now: float) -> bool:
        """Tell once that a fall back is over."""
        if not -math.inf < self._fallen_until <= now:
            return False
        self._fallen_until = -math.inf
        return True

    def _fall_back(self, now: float) -> None:
        self._reader, self._phase = DateReader(), None
        self._fallen_until = now + FALL_BACK_S
