"""Once a minute, one line in the log for each worker that did something or could have."""

from collections.abc import Callable
from typing import Any

from supervisor.control.limits import limited_by
from supervisor.control.measurements import Measurements
from supervisor.control.snapshot import Snapshot
from supervisor.core.clock import Clock
from supervisor.core.events import Events

EVERY_S = 60.0
ALARMING_SHARE = 0.1


class Summary:
    """Emit "worker_summary" events: what became of the last minute's jobs, the rate, what limits and what fails."""

    def __init__(self, *, snapshot: Callable[[], Snapshot], events: Events, clock: Clock) -> None:
        self._snapshot = snapshot
        self._events = events
        self._clock = clock

    async def run(self) -> None:
        """Emit every EVERY_S until cancelled."""
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + EVERY_S)
            self.run_once()

    def run_once(self) -> None:
        """Emit now."""
        snapshot = self._snapshot()
        for worker in snapshot.config.workers:
            fields = summary_of(snapshot.measurements, worker)
            if fields["total"] or any(snapshot.waiting(worker)):
                fields["waiting"] = sum(snapshot.waiting(worker))
                fields["limited_by"] = limited_by(snapshot, worker)
                problem = snapshot.measurements.problem(worker)
                if problem:
                    fields["problem"] = problem
                if fields["failed"] > fields["total"] * ALARMING_SHARE:
                    fields["level"] = "warning"
                self._events.emit("worker_summary", worker=worker, **fields)


def summary_of(measurements: Measurements, worker: str) -> dict[str, Any]:
    """Return what happened in the last minute. success_percent: None when nothing did."""
    counts = measurements.last_minute(worker)
    ok, gone, skipped = counts["done"], counts["gone"], counts["skipped"]
    total = sum(counts.values()) - counts["snooze"]
    succeeded = ok + gone + skipped
    return {
        "total": total,
        "ok": ok,
        "gone": gone,
        "skipped": skipped,
        "failed": total - succeeded,
        "per_s": round(measurements.per_s(worker), 2),
        "success_percent": round(100 * succeeded / total, 1) if total else None,
    }
