"""What the replicas measured, added up: totals since the start and rates of the last minute.

Replicas come and go and send only what is new (`Tally`); the sums live here and outlast them.
"""

from collections import Counter
from dataclasses import dataclass, field

from supervisor.control.rates import Rates
from supervisor.core.clock import Clock
from supervisor.core.histogram import Histogram
from supervisor.core.messages.replica_supervisor import Tally

# A job is a few requests, mostly within a second; big auction bodies and waits for quota take minutes.
JOB_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SUCCEEDED = ("done", "skipped", "gone")
ENDED = (*SUCCEEDED, "unparsed", "discard")
FAILED = ("retry", "unparsed", "discard")
# Endpoints are labels of a metric; a job's code names them, and must not be able to name a million.
MAX_ENDPOINTS, MAX_NAME, OTHERS = 500, 100, "others"


@dataclass(slots=True)
class Totals:
    """One worker since the start. outcomes: {outcome: jobs}; snoozes and retries are turns, not ends."""

    outcomes: Counter[str] = field(default_factory=Counter)
    job_s: Histogram = field(default_factory=lambda: Histogram(JOB_BOUNDS_S))
    saved: int = 0
    retried: int = 0


class Measurements:
    """Add up the tallies of all replicas, by worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rates: dict[str, Rates] = {}
        self._problems: dict[str, Rates] = {}
        self._started_at = clock.monotonic()
        self.totals: dict[str, Totals] = {}
        self.unparsed: Counter[str] = Counter()

    def add(self, worker: str, tally: Tally) -> None:
        """Take one replica's tally."""
        totals = self.totals.setdefault(worker, Totals())
        totals.outcomes.update(tally.outcomes)
        totals.saved += tally.saved
        totals.retried += tally.retried
        for seconds in tally.job_s:
            totals.job_s.observe(seconds)
        for endpoint, count in tally.unparsed.items():
            name = endpoint[:MAX_NAME]
            is_room = name in self.unparsed or len(self.unparsed) < MAX_ENDPOINTS
            self.unparsed[name if is_room else OTHERS] += count
        now = self._clock.monotonic()
        self._rates.setdefault(worker, Rates(self._started_at)).add(tally.outcomes, now)
        self._problems.setdefault(worker, Rates(self._started_at)).add(tally.problems, now)

    def last_minute(self, worker: str) -> Counter[str]:
        """Return {outcome: jobs} of the last minute."""
        rates = self._rates.get(worker)
        return Counter() if rates is None else rates.counts(self._clock.monotonic())

    def problem(self, worker: str) -> str:
        """Return what went wrong most often in the last minute, "" = nothing did."""
        problems = self._problems.get(worker)
        counts = Counter() if problems is None else problems.counts(self._clock.monotonic())
        return counts.most_common(1)[0][0] if counts else ""

    def per_s(self, worker: str) -> float:
        """Return jobs per second that came to an end (also a bad one) over the last minute."""
        rates = self._rates.get(worker)
        if rates is None:
            return 0.0
        now = self._clock.monotonic()
        return sum(rates.counts(now)[outcome] for outcome in ENDED) / rates.span_s(now)
