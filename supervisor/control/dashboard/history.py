"""The last minutes, second by second: what the charts draw when a page is opened.

One sample:

    {"at": wall seconds, "jobs": {worker: ended}, "requests": answered, "refused": answered 429,
     "job_ms": [p50, p99] | null, "wait_ms": [p50, p99] | null}

Counts and durations are of the time since the sample before. Replicas report once a second, so a second
may hold two reports or none; the page smooths over a few.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from supervisor.control.measurements import ENDED
from supervisor.control.snapshot import Snapshot
from supervisor.core.clock import Clock
from supervisor.core.histogram import HistogramStatistics, merged

EVERY_S = 1.0
KEPT = 600
QUANTILES = (0.5, 0.99)
UNSENT = {"not sent", "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What only grows, at one moment."""

    jobs: Counter[str]
    requests: int
    refused: int
    job_s: HistogramStatistics | None
    wait_s: HistogramStatistics | None


class History:
    """Keep the last KEPT samples."""

    def __init__(self, *, snapshot: Callable[[], Snapshot], clock: Clock) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._last: Totals | None = None
        self.samples: deque[dict[str, Any]] = deque(maxlen=KEPT)

    async def run(self) -> None:
        """Look every EVERY_S until cancelled."""
        while True:
            self.run_once()
            await self._clock.sleep_until(self._clock.monotonic() + EVERY_S)

    def run_once(self) -> None:
        """Take one look."""
        snapshot = self._snapshot()
        totals = totals_of(snapshot)
        if self._last is not None:
            self.samples.append(_sample(self._last, totals, snapshot.now))
        self._last = totals


def totals_of(snapshot: Snapshot) -> Totals:
    """Return the sums over all workers and keys."""
    statuses: Counter[str] = Counter()
    for key in snapshot.limiter.keys:
        for counts in key.statuses.values():
            statuses.update(counts)
    totals = snapshot.measurements.totals
    return Totals(
        jobs=Counter({name: sum(each.outcomes[outcome] for outcome in ENDED) for name, each in totals.items()}),
        requests=sum(count for status, count in statuses.items() if status not in UNSENT),
        refused=statuses["429"],
        job_s=merged(each.job_s.statistics() for each in totals.values()),
        wait_s=merged(each.waits for each in snapshot.limiter.workers.values()),
    )


def _sample(before: Totals, after: Totals, at: float) -> dict[str, Any]:
    # A key that leaves the file takes its counts along: never less than nothing.
    return {
        "at": round(at, 3),
        "jobs": {worker: max(0, count - before.jobs[worker]) for worker, count in after.jobs.items()},
        "requests": max(0, after.requests - before.requests),
        "refused": max(0, after.refused - before.refused),
        "job_ms": _quantiles_ms(before.job_s, after.job_s),
        "wait_ms": _quantiles_ms(before.wait_s, after.wait_s),
    }


def _quantiles_ms(before: HistogramStatistics | None, after: HistogramStatistics | None) -> list[float] | None:
    if after is None:
        return None
    recent = after if before is None else after.since(before)
    if recent.count <= 0:
        return None
    return [round(1000 * recent.quantile(share), 1) for share in QUANTILES]
