"""Between the supervisor and the database process: settings, exits, questions. A socketpair given at exec."""

from typing import Any, TypeAlias

import msgspec

from supervisor.core.database_settings import FreshnessSettings, ScheduleSettings, WorkerSettings
from supervisor.core.messages.base import Message

# --- supervisor → database --------------------------------------------------------------------


class DatabaseSettings(Message, frozen=True):
    """All that config.toml says to the database; sent at start and again after each reload.

    regions: the only ones that an entity may name, [] = any.
    """

    workers: list[WorkerSettings]
    schedules: list[ScheduleSettings] = []
    freshness: list[FreshnessSettings] = []
    retention_s: dict[str, float] = {}
    min_free_bytes: int = 0
    default_region: str = "eu"
    regions: list[str] = []


class ReplicaExited(Message, frozen=True):
    """The process is gone (seen on its pidfd): its leases end now.

    crashed: it died on its own (signal or exit code), not by our drain or kill. status: for people.
    """

    replica: str
    crashed: bool
    status: str


class Question(Message, frozen=True):
    """A request of a person or a tool, passed through unparsed.

    method: the name of an operation (see `database/questions.py`). params: from the URL. body: raw.
    """

    call: int
    method: str
    params: dict[str, str] = {}
    body: bytes = b""


class StopSchedules(Message, frozen=True):
    """Enqueue nothing by schedule or freshness from now on (first step of a drain)."""


class Stop(Message, frozen=True):
    """Finish the group in hand, checkpoint, close and exit 0."""


SupervisorToDatabase: TypeAlias = DatabaseSettings | ReplicaExited | Question | StopSchedules | Stop


# --- database → supervisor --------------------------------------------------------------------


class DatabaseReady(Message, frozen=True):
    """Schema migrated, socket listening."""

    pid: int
    sqlite: str
    fresh: bool


class Waiting(Message, frozen=True):
    """Claimable jobs now, by worker: {worker: [urgent, normal, background]}. Sent when it changes."""

    counts: dict[str, list[int]]


class Pulse(Message, frozen=True):
    """Once a second: alive, and how it goes.

    counts: {worker: {state: [urgent, normal, background]}}. oldest_s: age of the oldest claimable job.
    commit_p99_s: over the last second; queued: requests not yet in a transaction.
    free_bytes: on the disk of state_dir, below min_free_bytes work stops in the order of `database/disk.py`.
    trouble: why the files cannot be written, for people, "" = they can. stopped: workers that wait for room.
    """

    counts: dict[str, dict[str, list[int]]]
    oldest_s: dict[str, float]
    commit_p99_s: float
    queued: int
    transactions: int
    free_bytes: int = 0
    min_free_bytes: int = 0
    bulk_stopped: bool = False
    background_stopped: bool = False
    trouble: str = ""
    stopped: list[str] = []


class Counted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One worker's living entities. by_age: by seconds since their last success, as `Census.bounds_s` cuts them,
    one more for what is older. fresh: as fresh as [freshness] asks for; None = it asks for nothing.
    """

    by_age: list[int]
    fresh: int | None


class Census(Message, frozen=True):
    """About once a minute: what is known, and how fresh. brakes: {worker: since}, absences not believed."""

    bounds_s: tuple[float, ...]
    kinds: dict[str, Counted]
    brakes: dict[str, float]


class Noted(Message, frozen=True):
    """Something for the log and the metrics: an event with its fields."""

    event: str
    fields: dict[str, Any]


class Reply(Message, frozen=True):
    """The answer to a Question: an HTTP status and a JSON body, passed through."""

    call: int
    status: int
    body: bytes


DatabaseToSupervisor: TypeAlias = DatabaseReady | Waiting | Pulse | Census | Noted | Reply
