"""What one worker looked like, many times a second, and what that amounts to (`autoscale.Averages`)."""

from collections import Counter, deque
from dataclasses import dataclass

from supervisor.pools.autoscale import Averages

SPAN_S = 10.0
SETTLE_S = 1.0  # after a move: new slots start all at once, and surplus ones still end their jobs
MANY_REFUSED = 0.01
MANY_FAILED = 0.1
SEVERAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One worker at one moment.

    waiting: jobs that could start. held: slots that wait for a key although such a job is there; held_by: what
    the keys are out of. has_room: some key could serve a start now. granted, refused, failed: permits, answers
    429, and 5xx or no answer, since the start. database_slow: commits take too long or pile up.
    """

    waiting: int = 0
    held: int = 0
    held_by: str = ""
    has_room: bool = False
    granted: int = 0
    refused: int = 0
    failed: int = 0
    database_slow: bool = False


class Looks:
    """The looks of the last SPAN_S. Times are monotonic seconds and never go back."""

    def __init__(self, since: float) -> None:
        self._looks: deque[tuple[float, Look]] = deque()
        self._from = since

    def restart(self, now: float) -> None:
        """Forget everything; what is seen before `now` + SETTLE_S does not count."""
        self._looks.clear()
        self._from = now + SETTLE_S

    def add(self, look: Look, now: float) -> None:
        """Take one look."""
        if now < self._from:
            return
        self._looks.append((now, look))
        while self._looks[0][0] < now - SPAN_S:
            self._looks.popleft()

    def averages(self) -> Averages:
        """Return what the looks amount to."""
        if len(self._looks) < 2:
            return Averages()
        (began, first), (ended, last) = self._looks[0], self._looks[-1]
        looks = [look for _, look in self._looks]
        n, span_s = len(looks), ended - began
        held_by = Counter(look.held_by for look in looks if look.held)
        return Averages(
            span_s=span_s,
            waiting=sum(look.waiting for look in looks) / n,
            wanting=sum(look.waiting > 0 for look in looks) / n,
            held=sum(look.held for look in looks) / n,
            held_by=held_by.most_common(1)[0][0] if held_by else "",
            open=sum(look.waiting > 0 and look.has_room and not look.held for look in looks) / n,
            per_s=(last.granted - first.granted) / span_s if span_s > 0 else 0.0,
            trouble=_trouble(looks),
        )


def _trouble(looks: list[Look]) -> str:
    first, last = looks[0], looks[-1]
    granted = max(1, last.granted - first.granted)
    refused, failed = last.refused - first.refused, last.failed - first.failed
    if refused > granted * MANY_REFUSED:
        return f"{refused} of {granted} requests were answered 429"
    if failed >= SEVERAL and failed > granted * MANY_FAILED:
        return f"{failed} of {granted} requests failed (5xx or no answer)"
    if sum(look.database_slow for look in looks) > len(looks) / 2:
        return "the database is slow to commit"
    return ""
