"""What the demo sees while it runs: how long each worker had work, and when the sample is over."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Status: TypeAlias = dict[str, Any]

IDLE_S = 4.0
WAITING_STATES = ("available", "scheduled", "retryable")
ENDED = ("done", "skipped", "gone", "unparsed", "discard")


@dataclass(slots=True)
class Sample:
    """Moments are monotonic seconds.

    busy_s: time in which a worker had something to do, by worker. memory_bytes: the most seen.
    """

    started_at: float
    seconds: float
    now: float = 0.0
    busy_s: dict[str, float] = field(default_factory=dict)
    memory_bytes: int = 0
    _idle_since: float | None = None

    def __post_init__(self) -> None:
        self.now = self.started_at

    @property
    def elapsed_s(self) -> float:
        """Return how long it has lasted."""
        return self.now - self.started_at

    def look(self, status: Status, now: float) -> None:
        """Take one status; the time since the last one counts as busy for workers that have work."""
        step_s, self.now = now - self.now, now
        self.memory_bytes = max(self.memory_bytes, sum(status["memory_pss_bytes"].values()))
        for name, worker in status["workers"].items():
            if has_work(worker):
                self.busy_s[name] = self.busy_s.get(name, 0.0) + step_s
        is_idle = ended(status) > 0 and not any(has_work(worker) for worker in status["workers"].values())
        self._idle_since = (self._idle_since or now) if is_idle else None

    @property
    def is_over(self) -> bool:
        """Tell whether the time is up or, for a while now, nothing was left to do."""
        is_idle = self._idle_since is not None and self.now - self._idle_since >= IDLE_S
        return is_idle or self.elapsed_s >= self.seconds


def has_work(worker: Status) -> bool:
    """Tell whether a worker executes something, or could."""
    return worker["executing"] > 0 or any(worker["waiting"].values())


def ended(status: Status) -> int:
    """Return how many jobs have come to an end, by the replicas' own count."""
    return sum(ended_of(worker) for worker in status["workers"].values())


def ended_of(worker: Status) -> int:
    """Return how many jobs of one worker have come to an end."""
    return sum(worker["since_start"]["outcomes"].get(outcome, 0) for outcome in ENDED)


def executing(status: Status) -> int:
    """Return how many jobs execute."""
    return sum(worker["executing"] for worker in status["workers"].values())


def line(sample: Sample, status: Status) -> str:
    """Return one line of progress for a log."""
    parts = [
        f"{name} {ended_of(worker):,} ({worker['per_s']:.1f}/s)"
        for name, worker in status["workers"].items()
        if ended_of(worker) or has_work(worker)
    ]
    waiting = sum(sum(worker["waiting"].values()) for worker in status["workers"].values())
    return f"{sample.elapsed_s:4.0f} s  " + ", ".join([*parts, f"{waiting:,} waiting"])
