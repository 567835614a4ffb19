"""What is answered, as types: for OpenAPI, and for the tests that hold every answer against them.

Answers may have more than stands here, and get more over time; what stands here stays.
"""

from typing import Annotated, Any

import msgspec

from supervisor.control.scale import Size
from supervisor.database.entries import Entry


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Base: read only."""


class Problem(Shape, frozen=True):
    """RFC 9457. detail: what happened and what to do. errors: one for each mistake, where there are several."""

    title: str
    status: int
    detail: str
    errors: list[Any] = []


class Health(Shape, frozen=True):
    """The event loop turns."""

    ok: bool


class Readiness(Shape, frozen=True):
    """reasons: why no work should be sent here, [] = it may."""

    ready: bool
    reasons: list[str]


class EffectiveSize(Shape, frozen=True):
    """In force: concurrency of each replica (0 while paused), ready replicas."""

    concurrency: int
    replicas: int


class WorkerSize(Shape, frozen=True):
    """limited_by: hour, second, concurrency, database, disk, paused, no key, no replica or nothing to do."""

    desired: Size
    effective: EffectiveSize
    limited_by: str


class Sizes(Shape, frozen=True):
    """By worker."""

    workers: dict[str, WorkerSize]


class WorkerStatus(WorkerSize, frozen=True):
    """queue: jobs by state. waiting: those that could start, by priority. per_s: jobs that ended, over a minute."""

    paused: bool
    tag: str
    queue: dict[str, int]
    waiting: dict[str, int]
    executing: int
    per_s: float
    target_per_s: float | None


class Window(Shape, frozen=True):
    """used: of `limit` requests in `per_s` seconds."""

    used: int
    limit: int
    per_s: float


class KeyStatus(Shape, frozen=True):
    """state: ok, no token, parked, probing, quarantined or disabled; reason: why it is not ok."""

    name: str
    api: str
    tags: list[str]
    state: str
    reason: str
    windows: list[Window]


class Keys(Shape, frozen=True):
    """now: wall seconds."""

    keys: list[KeyStatus]
    now: float


class LastReload(Shape, frozen=True):
    """ok: the file as it was then is in force. at: wall seconds. errors: file:line: setting: sentence."""

    ok: bool
    at: float
    errors: list[str]


class ConfigStatus(Shape, frozen=True):
    """generation: counts what was put in force. pinned: setting → the variable that decides it."""

    generation: int
    path: str | None
    last_reload: LastReload
    warnings: list[str]
    pinned: dict[str, str]


class Status(Shape, frozen=True):
    """Everything that `gatherer status` shows."""

    workers: dict[str, WorkerStatus]
    keys: list[KeyStatus]
    config: ConfigStatus
    database: dict[str, Any]
    memory_pss_bytes: dict[str, int]
    pid: int
    now: float
    uptime_s: float
    ready: bool
    reasons_not_ready: list[str]


class Paused(Shape, frozen=True):
    """paused: whether it starts no job now."""

    worker: str
    paused: bool


class Restarting(Shape, frozen=True):
    """Its replicas are being replaced, one after another."""

    worker: str
    restarting: bool


class KeyCheck(Shape, frozen=True):
    """ok: the API gave a token. detail: what it said otherwise."""

    name: str
    ok: bool
    detail: str


class KeyChecks(Shape, frozen=True):
    """In the order of the configuration."""

    keys: list[KeyCheck]


class Jobs(Shape, frozen=True, forbid_unknown_fields=True):
    """Several jobs, taken all or none."""

    jobs: list[Entry]


class EnqueuedJob(Shape, frozen=True):
    """merged: an unfinished job for the same entity was there and is as urgent now."""

    id: int
    worker: str
    entity: str
    state: str
    merged: bool


class Enqueued(Shape, frozen=True):
    """accepted = new + merged."""

    accepted: int
    new: int
    merged: int
    jobs: list[EnqueuedJob]


class Job(Shape, frozen=True):
    """One job; moments are wall seconds."""

    id: int
    worker: str
    entity: str
    state: str
    priority: str
    attempt: int
    run_at: float
    created_at: float
    started_at: float | None
    finished_at: float | None
    outcome: str | None
    note: str | None
    error: str | None
    args: Any


class JobPage(Shape, frozen=True):
    """Newest first. next: `after` of the page behind, null = the end."""

    jobs: list[Job]
    next: int | None


class Changed(Shape, frozen=True):
    """matched: jobs that the filters name. changed: those that changed."""

    matched: int
    changed: int


class Batch(Shape, frozen=True):
    """A batch that jobs can be appended to."""

    batch: int


class Staged(Batch, frozen=True):
    """staged: jobs in it so far."""

    staged: int


class ClosedBatch(Batch, frozen=True):
    """state: accepted (all its jobs will be enqueued) or aborted (none)."""

    state: str
    jobs: int


class Backup(Shape, frozen=True):
    """folder: where it is, complete."""

    folder: str
    bytes: int


class Queue(Shape, frozen=True):
    """counts: jobs by state. by_priority: the same, [urgent, normal, background]."""

    counts: dict[str, int]
    by_priority: dict[str, Annotated[list[int], msgspec.Meta(min_length=3, max_length=3)]]


class Queues(Shape, frozen=True):
    """By worker."""

    queues: dict[str, Queue]


class Known(Shape, frozen=True):
    """What is stored of an entity: rows by statement."""

    worker: str
    entity: str
    rows: dict[str, list[dict[str, Any]]]


class ExportPage(Shape, frozen=True):
    """rows: values in the order of columns. next: `after` of the page behind, null = the end."""

    columns: list[str]
    rows: list[list[Any]]
    next: str | None


class DatabaseStatistics(Shape, frozen=True):
    """How the database process is; its names are not promised."""
