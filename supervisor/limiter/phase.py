"""When a server's fixed windows begin, as far as we know.

A server that counts from one tick of its clock to the next forgets everything at the tick. Whoever
knows the tick within an interval may do so too:

    true tick          ├──────────────┤ W later
    what we know   earliest─latest             an answer seen before `earliest` is of an earlier window
    ─────────────────│┄┄┄┄┄│──────────▶        a request sent after `latest` is of a later one

So an answer seen at `r` blocks its slot until the `latest` of the first tick whose `earliest` is beyond `r`.
How wide the interval is costs nothing while it is shorter than the pause between two bursts.

`DateReader` learns the tick from the Date of answers: an answer dated D (whole seconds) was made between
its sending and its arrival, when the server's clock showed D to D+1.
"""

import math
from dataclasses import dataclass

DRIFT = 1e-4
"""Seconds per second that two disciplined clocks may run apart: a bad quartz; NTP keeps far below it."""

MAX_UNSURE_SHARE = 0.25
"""A tick known less exactly than this share of the window is not used."""

MARGIN_S = 0.0015
"""Covers a server that cuts its clock to milliseconds."""

BETTER_BY_S = 0.001
"""A reading replaces the one in use when it is narrower by this much."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A tick of the server's windows lies between `earliest` and `latest` (monotonic seconds), as read at `read_at`.

    As time goes on the interval widens by DRIFT, so a phase never needs to be withdrawn.
    """

    earliest: float
    latest: float
    read_at: float

    def frees_at(self, at: float, per_s: float) -> float:
        """Return when what was answered at `at` is forgotten; inf = the tick is not known well enough.

        at: not earlier than `read_at - per_s`. per_s: length of the windows. Never decreases as `at` grows.
        """
        drift_s = DRIFT * (max(0.0, at - self.read_at) + 2 * per_s)
        earliest, latest = self.earliest - drift_s, self.latest + drift_s
        if latest - earliest > per_s * MAX_UNSURE_SHARE:
            return math.inf
        return latest + MARGIN_S + per_s * (math.floor((at - earliest) / per_s) + 1)

    def moved(self, by_s: float) -> "Phase":
        """Return the phase of windows that begin `by_s` later."""
        return Phase(self.earliest + by_s, self.latest + by_s, self.read_at)


class DateReader:
    """Where the server's Unix time 0 lies on our monotonic clock, from the Date of its answers.

    Each answer narrows the interval; age widens it. contradicts: two answers cannot both be right: the
    server's clock was set, or several servers with different clocks answer.
    """

    __slots__ = ("_at", "_earliest", "_latest", "contradicts")

    def __init__(self) -> None:
        self._at = 0.0
        self._earliest = -math.inf
        self._latest = math.inf
        self.contradicts = False

    def heard(self, *, sent_at: float, seen_at: float, date_s: float) -> None:
        """Take note of an answer. sent_at: at or before its sending; seen_at: at or after its arrival."""
        drift_s = DRIFT * max(0.0, seen_at - self._at)
        self._at = max(self._at, seen_at)
        # Made at g in [sent, seen], when the server's clock showed date to date + 1: zero is at g - clock.
        self._earliest = max(self._earliest - drift_s, sent_at - date_s - 1.0)
        self._latest = min(self._latest + drift_s, seen_at - date_s)
        self.contradicts = self._latest < self._earliest

    def phase(self) -> Phase | None:
        """Return what is known of Unix time 0; None = nothing yet, or nothing that can be true."""
        if self.contradicts or not math.isfinite(self._latest - self._earliest):
            return None
        return Phase(self._earliest, self._latest, self._at)


def is_better(found: Phase, used: Phase | None, now: float) -> bool:
    """Tell whether `found` is worth taking over from the phase in use."""
    if used is None:
        return True
    aged_s = 2 * DRIFT * (now - used.read_at)
    return found.latest - found.earliest < used.latest - used.earliest + aged_s - BETTER_BY_S
