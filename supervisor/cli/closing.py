"""The demo's closing table: counts of others than those who did the work.

    requests, 429s, peaks     the simulator's, as it saw them arrive
    jobs                      the database's rows, by state
    our own                   the limiter's requests and the replicas' outcomes, set beside them to compare

Two numbers that ought to be equal and are not make the demo fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from supervisor.cli.human import count, rate, share, size
from supervisor.cli.sample import Sample, ended_of
from supervisor.cli.status_tables import Status

SUCCEEDED = ("done", "skipped", "gone")
NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """All that was counted. queues: {worker: {"counts": {state: n}}}; judge: the simulator's statistics."""

    sample: Sample
    status: Status
    queues: Status
    judge: Status

    def rows(self, worker: str, *states: str) -> int:
        """Return the database's jobs of a worker in these states."""
        counts = self.queues.get(worker, {}).get("counts", {})
        return sum(counts.get(state, 0) for state in states)

    @property
    def jobs(self) -> int:
        """Return the jobs that the database holds as ended."""
        return sum(self.rows(worker, "completed", "discarded") for worker in self.queues)

    @property
    def lost(self) -> int:
        """Return the jobs that a replica was told are completed, and that the database does not hold as such."""
        missing = 0
        for name, worker in self.status["workers"].items():
            outcomes = worker["since_start"]["outcomes"]
            told = sum(outcomes.get(outcome, 0) for outcome in SUCCEEDED)
            missing += max(0, told - self.rows(name, "completed"))
        return missing

    @property
    def requests(self) -> int:
        """Return the requests that the simulator saw."""
        return sum(client["requests"] for client in self.judge["clients"].values())

    @property
    def sent(self) -> int:
        """Return the requests that our own limiter knows to have left, tokens included."""
        by_worker = (statuses for key in self.status["keys"] for statuses in key["statuses"].values())
        return sum(n for statuses in by_worker for status, n in statuses.items() if status != NOT_SENT)

    @property
    def refused(self) -> int:
        """Return the 429s that the simulator gave."""
        return sum(client["by_status"].get("429", 0) for client in self.judge["clients"].values())

    @property
    def repeated(self) -> int:
        """Return the jobs tried again and the requests sent again."""
        starts = [worker["since_start"] for worker in self.status["workers"].values()]
        return sum(start["outcomes"].get("retry", 0) + start["requests_repeated"] for start in starts)

    @property
    def is_good(self) -> bool:
        """Tell whether every promise was kept."""
        return self.refused == 0 and self.lost == 0


def workers_table(counts: Counts) -> Table:
    """Return one row for each worker: what it did, how fast, and what it leaves."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("WORKER")
    for name in ("JOBS", "DONE", "SKIPPED", "GONE", "DISCARDED", "JOBS/S WHEN BUSY", "TARGET", "LEFT WAITING"):
        table.add_column(name, justify="right")
    for name, worker in counts.status["workers"].items():
        outcomes = worker["since_start"]["outcomes"]
        busy_s = counts.sample.busy_s.get(name, 0.0)
        target = worker["target_per_s"]
        table.add_row(
            name,
            count(counts.rows(name, "completed", "discarded")),
            *(count(outcomes.get(outcome, 0)) for outcome in SUCCEEDED),
            count(counts.rows(name, "discarded")),
            rate(ended_of(worker) / busy_s if busy_s else 0.0),
            "–" if target is None else f"{target:g}",
            count(counts.rows(name, "available", "scheduled", "retryable", "executing")),
        )
    return table


def keys_table(counts: Counts) -> Table:
    """Return one row for each key: what the simulator saw of it, against what it allows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("KEY")
    for name in ("REQUESTS", "PEAK IN ONE SECOND", "OF ITS SECOND", "OF ITS HOUR", "429"):
        table.add_column(name, justify="right")
    for key, client in zip(counts.status["keys"], counts.judge["clients"].values(), strict=False):
        windows = sorted(key["windows"], key=lambda window: window["per_s"])
        table.add_row(
            key["name"],
            count(client["requests"]),
            count(client["peak_second"]),
            share(client["peak_second"], windows[0]["limit"]),
            share(client["hour"], windows[-1]["limit"]),
            count(client["by_status"].get("429", 0)),
        )
    return table


def sentences(counts: Counts) -> Iterator[str]:
    """Yield the sums, and the verdict."""
    seconds = counts.sample.elapsed_s
    jobs = counts.jobs
    yield f"{jobs:,} jobs in {seconds:.0f} s ({rate(jobs / seconds)}/s), by the database's count"
    per_job = f", {counts.requests / jobs:.2f} a job" if jobs else ""
    yield f"{counts.requests:,} requests{per_job}, by the simulator's count; {counts.sent:,} by ours"
    yield f"{_saved(counts):,} requests saved (nothing had changed); {counts.repeated:,} jobs or requests repeated"
    yield f"{size(counts.sample.memory_bytes)} of memory at most, all processes together"
    yield f"{counts.refused:,} answers 429, by the simulator's count" + (": none" if not counts.refused else "")
    yield f"{counts.lost:,} jobs lost"
    yield "Every promise was kept." if counts.is_good else "A PROMISE WAS BROKEN."


def _saved(counts: Counts) -> int:
    return sum(worker["since_start"]["requests_saved"] for worker in counts.status["workers"].values())


def as_json(counts: Counts) -> dict[str, Any]:
    """Return the sums for programs."""
    return {
        "ok": counts.is_good,
        "seconds": round(counts.sample.elapsed_s, 1),
        "jobs": counts.jobs,
        "requests": counts.requests,
        "requests_by_us": counts.sent,
        "refused": counts.refused,
        "lost": counts.lost,
        "repeated": counts.repeated,
        "memory_bytes": counts.sample.memory_bytes,
        "workers": {
            name: {"jobs": ended_of(worker), "busy_s": round(counts.sample.busy_s.get(name, 0.0), 1)}
            for name, worker in counts.status["workers"].items()
        },
        "clients": counts.judge["clients"],
    }
