"""What a replica counts between two tallies."""

from collections import Counter

from supervisor.core.messages.replica_supervisor import Outcomes, Tally


class Measures:
    """Counters since the last tally; `take` hands them over and starts anew."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._outcomes: Counter[Outcomes] = Counter()
        self._job_s: list[float] = []
        self._parsed: Counter[str] = Counter()
        self._unparsed: Counter[str] = Counter()
        self._problems: Counter[str] = Counter()
        self._saved = 0
        self._retried = 0

    def finished(self, outcome: Outcomes, seconds: float, saved: int, problem: str = "") -> None:
        """Count one job that ended with `outcome` after `seconds`; `problem` names what went wrong, "" = nothing."""
        if problem:
            self._problems[problem] += 1
        self._outcomes[outcome] += 1
        self._job_s.append(seconds)
        self._saved += saved

    def parsed(self, endpoint: str, ok: bool) -> None:
        """Count one body, by whether it had the expected shape."""
        (self._parsed if ok else self._unparsed)[endpoint] += 1

    def retried(self) -> None:
        """Count one request that had to be sent again (429, 401, broken connection)."""
        self._retried += 1

    def take(self) -> Tally | None:
        """Return what was counted since the last call, None when there was nothing."""
        if not (self._outcomes or self._parsed or self._unparsed or self._retried):
            return None
        tally = Tally(
            dict(self._outcomes),
            self._job_s,
            self._saved,
            self._retried,
            dict(self._unparsed),
            dict(self._problems),
            dict(self._parsed),
        )
        self._reset()
        return tally
