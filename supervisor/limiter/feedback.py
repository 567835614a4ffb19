"""What answers say about a key: may it be used at all?

      ok ──429──▶ parked ──time──▶ probing ──served──▶ half ──10 s──▶ ok
                     ▲                │ 429
                     └────────────────┘
      any ──refused credentials, 403 again and again──▶ quarantined ──verified──▶ probing

A 429 parks the key and not the job: nobody uses the key until the park ends, then one request at a
time until one is served, then half of the short windows for 10 s. Jitter is added to Retry-After,
never subtracted. The windows are not reset by any of this.
"""

import math
from enum import StrEnum
from random import Random

MIN_PARK_S = 1.0
SHORT_PARK_S = 2.0
"""Up to here a Retry-After concerns the short window; beyond it keys would come back in step, so jitter is added."""
MAX_PARK_S = 3600.0
"""A wild Retry-After does not lock a key for ever: after this long one request may probe."""
PARK_JITTER_S = 1.0
PARK_EPS_S = 0.002
HALF_FOR_S = 10.0
HALF_SHARE = 0.5
FULL_SHARE = 0.9
"""A 429 with less than this share of the short window in use is not of our making."""
RECOVER_EVERY_S = 10.0
"""One request per window is regained this often after an unexplained 429."""
FORBIDDEN_IN_A_ROW = 10
UNAUTHORIZED_IN_A_ROW = 3
"""For keys whose credential is not obtained, so that there is nothing to refresh."""
REFRESH_GAP_S = 60.0
"""A 401 refreshes a token that has served since its last refresh at most this often."""


class State(StrEnum):
    """Where a key stands; HALF is shown as probing."""

    OK = "ok"
    PARKED = "parked"
    PROBING = "probing"
    HALF = "half"
    QUARANTINED = "quarantined"


class Verdict(StrEnum):
    """What an answer asks of the key's owner."""

    NOTHING = "nothing"
    PARKED = "parked"
    REFRESH = "refresh the token"
    QUARANTINED = "quarantined"


class Standing:
    """The standing of one key. reason: for people, "" while all is well. parked_until: monotonic seconds.

    doubt: why the limit was lowered and what a person can do, "" when it was not.
    forbidden: answers 403 since the last that served.
    """

    __slots__ = (
        "_half_until",
        "_lowered_at",
        "_lowered_to",
        "_refreshed_at",
        "_unauthorized",
        "doubt",
        "forbidden",
        "parked_until",
        "reason",
        "state",
    )

    def __init__(self) -> None:
        self.state = State.OK
        self.reason = ""
        self.doubt = ""
        self.parked_until = 0.0
        self._half_until = 0.0
        self._lowered_to = 1.0
        self._lowered_at = 0.0
        self.forbidden = 0
        self._unauthorized = 0
        self._refreshed_at = -math.inf

    @property
    def is_plain(self) -> bool:
        """Tell whether nothing at all is held against the key: no other question needs asking."""
        return self.state is State.OK and self._lowered_to >= 1.0 and not (self.forbidden or self._unauthorized)

    def allows(self, now: float, in_flight: int) -> bool:
        """Tell whether the standing lets one more request go; moves on by time."""
        if self.state is State.OK:
            return True
        self.settle(now)
        if self.state is State.PROBING:
            return in_flight == 0
        return self.state in (State.OK, State.HALF)

    def settle(self, now: float) -> None:
        """Let time pass: a park ends, a half becomes whole."""
        if self.state is State.PARKED and now >= self.parked_until:
            self.state = State.PROBING
        elif self.state is State.HALF and now >= self._half_until:
            self.state = State.OK
            self.reason = ""

    def frees_at(self, in_flight: int) -> float:
        """Return when time alone lets a request go: -inf = now, inf = only an answer or a person does."""
        if self.state is State.PARKED:
            return self.parked_until
        if self.state is State.QUARANTINED or (self.state is State.PROBING and in_flight):
            return math.inf
        return -math.inf

    def share(self, now: float, limit: int) -> float:
        """Return the share of the short windows in use, 0..1. limit: of the shortest window."""
        share = HALF_SHARE if self.state is State.HALF else 1.0
        if self._lowered_to < 1.0:
            regained = (now - self._lowered_at) / RECOVER_EVERY_S / limit
            if self._lowered_to + regained >= 1.0:
                self._lowered_to = 1.0
                self.doubt = ""
            share = min(share, self._lowered_to + regained)
        return share

    def answered(
        self,
        status: int,
        *,
        now: float,
        random: Random,
        retry_after_s: float = -1.0,
        used_share: float = 1.0,
        is_current: bool = True,
        is_renewable: bool = True,
    ) -> Verdict:
        """Take note of an answer and say what must follow.

        retry_after_s: -1 = absent. used_share: of the shortest window, counted and in flight, 0..1.
        is_current: the request carried the present token. is_renewable: another token may be had.
        """
        if status < 400 or status == 404:
            self._served(now)
            return Verdict.NOTHING
        if status == 429:
            self._refused(retry_after_s, used_share, now, random)
            return Verdict.PARKED
        if status == 401:
            return self._rejected(is_current, is_renewable, now)
        if status == 403:
            self.forbidden += 1
            if self.forbidden >= FORBIDDEN_IN_A_ROW:
                return self.quarantine(f"403 for {self.forbidden} requests in a row")
        return Verdict.NOTHING

    def quarantine(self, reason: str) -> Verdict:
        """Use the key no more, and say why."""
        self.state = State.QUARANTINED
        self.reason = reason
        return Verdict.QUARANTINED

    def verified(self) -> None:
        """End a quarantine: the credentials were accepted; one request at a time until one is served."""
        if self.state is State.QUARANTINED:
            self.state = State.PROBING
            self.reason = "was quarantined: " + self.reason
            # One more refusal is enough now.
            self.forbidden = FORBIDDEN_IN_A_ROW - 1
            self._unauthorized = UNAUTHORIZED_IN_A_ROW - 1

    def forgive(self) -> None:
        """Hold nothing against the key any more, because a person says so; one request probes first."""
        if self.state is not State.OK:
            self.state = State.PROBING
            self.reason = "unlocked by a person; before: " + self.reason
        self.parked_until = 0.0
        self.doubt = ""
        self._lowered_to = 1.0
        self.forbidden = 0
        self._unauthorized = 0

    def park(self, until: float, reason: str) -> None:
        """Use the key not before `until`; a later end than the present one only."""
        self.parked_until = max(self.parked_until, until)
        if self.state is not State.QUARANTINED:
            self.state = State.PARKED
            self.reason = reason

    def _served(self, now: float) -> None:
        self.forbidden = 0
        self._unauthorized = 0
        if self.state is State.PROBING:
            self.state = State.HALF
            self._half_until = now + HALF_FOR_S

    def _refused(self, retry_after_s: float, used_share: float, now: float, random: Random) -> None:
        if used_share < FULL_SHARE and retry_after_s <= SHORT_PARK_S and self.state is not State.PARKED:
            # Another program uses the key, or the limit is lower than configured.
            self._lowered_to = max(HALF_SHARE, used_share)
            self._lowered_at = now
            self.doubt = (
                f"429 with {used_share:.0%} of the limit in use: another program seems to use this key, or its limit is"
                " lower; if so, give the key use = 0.5 (its share of every window). Until then less is used, one more"
                " per 10 s"
            )
        wait_s = min(MAX_PARK_S, max(MIN_PARK_S, retry_after_s)) + PARK_EPS_S
        if retry_after_s > SHORT_PARK_S:
            wait_s += random.uniform(0.0, PARK_JITTER_S)
        self.park(now + wait_s, "429" + (f", Retry-After {retry_after_s:g} s" if retry_after_s >= 0 else ""))

    def _rejected(self, is_current: bool, is_renewable: bool, now: float) -> Verdict:
        # Answers to a token that has been replaced meanwhile say nothing about the new one.
        if not is_current:
            return Verdict.NOTHING
        if is_renewable and self._unauthorized:
            return self.quarantine("401 again with a token that was just obtained")
        if is_renewable and now - self._refreshed_at < REFRESH_GAP_S:
            # The new token has served others since: it is this request that is not allowed.
            return Verdict.NOTHING
        self._unauthorized += 1
        if is_renewable:
            self._refreshed_at = now
            return Verdict.REFRESH
        if self._unauthorized >= UNAUTHORIZED_IN_A_ROW:
            return self.quarantine(f"401 for {self._unauthorized} requests in a row")
        return Verdict.NOTHING
