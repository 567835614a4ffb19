"""Where one worker's concurrency stands and how it came there: what `autoscale.decide` must be told."""

import math
from dataclasses import dataclass, field

from supervisor.pools import autoscale
from supervisor.pools.autoscale import Decision, Observation
from supervisor.pools.looks import Looks
from supervisor.settings.config import Autoscale, Config, Worker
from supervisor.settings.moves import Moved, moment


@dataclass(slots=True, kw_only=True)
class Course:
    """One worker under autoscale. Fields: see `autoscale.Observation`.

    who, why, since: of the last move, since in wall seconds; who "" = stands where the file put it.
    note: why it does not move now. fixed: why it may not.
    """

    worker: str
    bounds: Autoscale
    written: int | str
    concurrency: int
    looks: Looks
    replicas: int = 0
    fixed: str = ""
    who: str = ""
    why: str = ""
    since: float = 0.0
    note: str = ""
    moved_at: float = -math.inf
    owed: int = 0
    cautious_until: float = -math.inf
    grown_from: tuple[int, float] | None = None
    ceiling: int | None = None
    ceiling_until: float = -math.inf
    moves: dict[str, int] = field(default_factory=dict)

    @property
    def home(self) -> int:
        """Return the written number; min for "auto"."""
        return self.bounds.min if isinstance(self.written, str) else self.written

    def observe(self, now: float, lifted: int, alert: str) -> Observation:
        """Return how it stands. lifted: by alerts in force. alert: asks for more, "" = none."""
        return Observation(
            now=now,
            bounds=self.bounds,
            written=self.home,
            rest=min(self.bounds.max, self.home + lifted),
            concurrency=self.concurrency,
            replicas=self.replicas,
            averages=self.looks.averages(),
            fixed=self.fixed,
            moved_at=self.moved_at,
            owed=self.owed,
            alert=alert,
            cautious_until=self.cautious_until,
            grown_from=self.grown_from,
            ceiling=self.ceiling if now < self.ceiling_until else None,
        )

    def take(self, decision: Decision, seen: Observation, who: str, wall: float) -> bool:
        """Follow a decision; tell whether the concurrency in force has changed."""
        self.note = decision.why
        if not decision.cause:
            return False
        self._learn(decision, seen)
        if decision.concurrency == self.concurrency:
            return False
        self.concurrency = decision.concurrency
        self.who, self.why, self.since = who, decision.why, wall
        self.moved_at = seen.now
        self.moves[decision.cause] = self.moves.get(decision.cause, 0) + 1
        self.looks.restart(seen.now)
        return True

    def _learn(self, decision: Decision, seen: Observation) -> None:
        self.grown_from = None
        match decision.cause:
            case autoscale.WANTED:
                self.grown_from = (seen.concurrency, seen.averages.per_s)
            case autoscale.TROUBLE:
                self.cautious_until = seen.now + autoscale.CAUTIOUS_S
            case autoscale.RESOLVED:
                self.owed = 0
            case autoscale.PLATEAU:
                self.ceiling = decision.concurrency
                self.ceiling_until = seen.now + autoscale.PLATEAU_S

    def kept(self) -> Moved | None:
        """Return what outlives a restart; None = nothing, it stands where the file puts it."""
        if not self.who or self.concurrency == self.written:
            return None
        return Moved(
            concurrency=self.concurrency, written=self.written, since=moment(self.since), who=self.who, why=self.why
        )


def begin(config: Config, worker: Worker, kept: Moved | None, now: float) -> Course:
    """Return the course of `worker`: from where it was moved to if the file says what it said then, else as written."""
    assert worker.autoscale is not None
    course = Course(
        worker=worker.name,
        bounds=worker.autoscale,
        written=worker.written_concurrency,
        concurrency=worker.concurrency,
        looks=Looks(now),
        fixed=fixed_by(config, worker),
    )
    if kept is not None and kept.written == course.written and not _pin(config, worker):
        course.concurrency = kept.concurrency
        course.who, course.why, course.since = kept.who, kept.why, kept.since.timestamp()
        course.moved_at = now
    return course


def fixed_by(config: Config, worker: Worker) -> str:
    """Return why nothing may move `worker`, "" = it may be moved."""
    if worker.paused:
        return "paused"
    if worker.written_concurrency == 0:
        return "concurrency = 0 in the file stops it"
    pin = _pin(config, worker)
    return f"pinned by {pin}" if pin else ""


def _pin(config: Config, worker: Worker) -> str:
    """Return what pins the worker to a number; pinned to "auto" is free to move."""
    if worker.autoscale is not None and worker.autoscale.auto:
        return ""
    return config.pinned.get(f"workers.{worker.name}.concurrency", "")
