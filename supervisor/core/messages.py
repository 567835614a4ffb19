"""Every message between our processes, by the two ends that speak.

    replica  ⇄ supervisor   a socketpair given at fork: life, permits, metrics
    replica  ⇄ database     run_dir/database.sock: claim, finish, rows
    supervisor ⇄ database   a socketpair given at exec: settings, exits, questions
    supervisor ⇄ zygote     a SOCK_SEQPACKET pair given at exec: fork, reaped (descriptors travel beside)

Fields are positional on the wire, so new ones go last, with a default. `call` numbers a request
and its reply on one connection. Deadlines are CLOCK_MONOTONIC seconds, one clock for the host.

Numbers that steer the supervisor have their ranges in their types, so a frame with others is no message and ends its
connection: what a replica says is checked like any input. Only what our own code computes has a range here; what a
job's code may choose is checked where the job can be told.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from supervisor.core.database_settings import FreshnessSettings, ScheduleSettings, WorkerSettings
from supervisor.core.job import ClaimedJob, Effect, NewJob

Natural: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0, le=1e12)]  # neither nan nor inf
Outcomes: TypeAlias = Literal["done", "skipped", "gone", "retry", "snooze", "unparsed", "discard"]


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=True):
    """Base of all messages: [class name, field, ...]."""


# --- replica → supervisor ---------------------------------------------------------------------


class Ready(Message, frozen=True):
    """The replica has its loop, its sockets and its job module, and can work."""

    pid: int


class Heartbeat(Message, frozen=True):
    """Sent by the event loop itself every HEARTBEAT_EVERY_S, so a hung loop falls silent, and after each Configure.

    concurrency: jobs at once that are in force; -1 = not said.
    """

    executing: Natural
    concurrency: Annotated[int, msgspec.Meta(ge=-1)] = -1


class Acquire(Message, frozen=True):
    """Ask for leave to send one request.

    ask: the replica's number for this wait. start: for a job not yet claimed (served only while the
    database has such a job; its priority is then what waits, not `priority`). region: "" = any. again: a request
    that was refused or lost with an earlier permit and goes on, before those that wait.
    """

    ask: Natural
    start: bool
    priority: int
    deadline: Seconds
    region: str = ""
    again: bool = False


class Cancel(Message, frozen=True):
    """Nobody waits for `ask` any more. A Grant that crossed this comes back NOT_SENT."""

    ask: int


ANSWERED, NOT_SENT, UNKNOWN = 0, 1, 2


class Release(Message, frozen=True):
    """Give a permit back.

    fate: ANSWERED (headers seen, `status` and `rtt_s` hold), NOT_SENT (no byte can have left the
    process) or UNKNOWN (timeout, reset, cancel: the server may still count it).
    retry_after_s: from the header, -1 = absent. date_s: Unix seconds of its Date, 0 = none. path: names
    the way to the server, "" = unsaid. Both are sent only where the API's mode or theta needs them.
    region: where it was sent, "" = the end says nothing about the API's host (nothing was tried, or we gave
    it up ourselves). allowed, remaining: from RateLimit headers (requests a window, and those left), -1 = absent.
    """

    permit: Natural
    fate: Annotated[int, msgspec.Meta(ge=0, le=2)]
    status: Annotated[int, msgspec.Meta(ge=0, le=999)] = 0
    rtt_s: Seconds = 0.0
    retry_after_s: Annotated[float, msgspec.Meta(ge=-1.0, le=1e9)] = -1.0
    date_s: Annotated[int, msgspec.Meta(ge=0, le=2**40)] = 0
    path: str = ""
    region: str = ""
    allowed: Annotated[int, msgspec.Meta(ge=-1, le=10**9)] = -1
    remaining: Annotated[int, msgspec.Meta(ge=-1, le=10**9)] = -1


class Tally(Message, frozen=True):
    """What the replica measured since its last tally; the supervisor adds it up.

    parsed, unparsed: {endpoint: bodies that had, or had not, the expected shape}.
    problems: {what went wrong, without the entity: jobs}, for the log's summary.
    """

    outcomes: dict[Outcomes, Natural] = {}
    job_s: list[Seconds] = []
    saved: Natural = 0
    retried: Natural = 0
    unparsed: dict[str, Natural] = {}
    problems: dict[str, Natural] = {}
    parsed: dict[str, Natural] = {}


class Drained(Message, frozen=True):
    """All jobs of the replica have ended or been given back; it is about to exit 0."""


FromReplica: TypeAlias = Ready | Heartbeat | Acquire | Cancel | Release | Tally | Drained


# --- supervisor → replica ---------------------------------------------------------------------


class Configure(Message, frozen=True):
    """Settings in force from now on. concurrency: jobs at once, ≥ 0. api: `ApiProfile` as plain data."""

    concurrency: int
    api: dict[str, Any] = {}


NO_PERMIT = 0


class Grant(Message, frozen=True):
    """Leave to send one request with one key.

    permit: NO_PERMIT = no such leave, but to start jobs of a kind that sends none, until a claim finds nothing.

    headers and query carry the credential ready to send; neither may be logged or stored. regions:
    where the key may be used, () = everywhere; only a start needs them, whose region nobody knew, and
    down_regions: whose host is down. is_probe: the one request that looks whether a host is up again.
    """

    ask: int
    permit: int
    key: str
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    regions: tuple[str, ...] = ()
    down_regions: tuple[str, ...] = ()
    is_probe: bool = False


TIMEOUT_WAITING, BUSY, DRAINING, NO_KEY = "timeout waiting", "busy", "draining", "no key"
HOST_DOWN = "host down"


class Refuse(Message, frozen=True):
    """No permit for `ask`, and why: one of the five words above."""

    ask: int
    why: str


class Braked(Message, frozen=True):
    """Leave these endpoints alone from now on, and no others: their bodies do not parse.

    probes: those of them of which this replica may send one request.
    """

    endpoints: list[str]
    probes: list[str] = []


class Drain(Message, frozen=True):
    """Start nothing new, finish what runs, give back what cannot end by `deadline`, exit 0."""

    deadline: float


ToReplica: TypeAlias = Configure | Grant | Refuse | Braked | Drain


# --- replica → database -----------------------------------------------------------------------


class Hello(Message, frozen=True):
    """First message on the connection: who speaks. replica: "characters#1", worker: "characters"."""

    replica: str
    worker: str


class Claim(Message, frozen=True):
    """Take at most `n` jobs of the worker's queue under lease."""

    call: int
    n: int


class Renew(Message, frozen=True):
    """Leases of this replica stay its own for another LEASE_S. No reply.

    leases: those it knows of; others that the database holds in its name for long are released, because
    a claim's reply can be lost with its connection. None = all.
    """

    leases: list[int] | None = None


class Rows(Message, frozen=True):
    """Store bulk rows ahead of the finish, ≤ 500 a message, under a lease still held."""

    call: int
    job: int
    lease: int
    effect: Effect


class Stage(Message, frozen=True):
    """Stage follow-ups ahead of the finish, ≤ 500 a message; the finish accepts them all."""

    call: int
    job: int
    lease: int
    jobs: list[NewJob]


class Finish(Message, frozen=True):
    """End a job with its outcome; rows, follow-ups and completion are one transaction.

    outcome: "done", "skipped", "gone", "retry", "snooze", "unparsed" or "discard".
    after_s: for retry (None = the database's backoff) and snooze.
    May be repeated: the answer is then "already done".
    """

    call: int
    job: int
    lease: int
    outcome: str
    note: str = ""
    error: str = ""
    after_s: float | None = None
    effects: list[Effect] = []
    follow_ups: list[NewJob] = []
    endpoint: str = ""
    body: bytes = b""
    requests: int = 0


class GiveBack(Message, frozen=True):
    """Release a job undone (drain): available again at once, no attempt spent."""

    call: int
    job: int
    lease: int


ToDatabase: TypeAlias = Hello | Claim | Renew | Rows | Stage | Finish | GiveBack


# --- database → replica -----------------------------------------------------------------------


class Claimed(Message, frozen=True):
    """The jobs now under lease; empty = nothing to do."""

    call: int
    jobs: list[ClaimedJob]


DONE, ALREADY_DONE, LOST = "done", "already done", "lost"


class Finished(Message, frozen=True):
    """The answer to Finish and GiveBack, after COMMIT: DONE, ALREADY_DONE or LOST (not its lease)."""

    call: int
    result: str


class Stored(Message, frozen=True):
    """Rows or Stage are committed (and still invisible)."""

    call: int


class Failed(Message, frozen=True):
    """The database could not do it; `error` is for people. retryable: the same call may succeed later.

    not_soon: it will not within this job's time, which should be snoozed.
    """

    call: int
    error: str
    retryable: bool = False
    not_soon: bool = False


FromDatabase: TypeAlias = Claimed | Finished | Stored | Failed


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


# --- supervisor ⇄ zygote ----------------------------------------------------------------------


class Fork(Message, frozen=True):
    """Fork one replica. Beside it travel two descriptors: its control socket and its log pipe."""

    replica: str
    worker: str
    module: str
    path: str
    database_socket: str
    environment: dict[str, str] = {}


class Forked(Message, frozen=True):
    """The replica runs as `pid`; its pidfd travels beside."""

    replica: str
    pid: int


class ForkFailed(Message, frozen=True):
    """No process was made; `error` says why."""

    replica: str
    error: str


class Reaped(Message, frozen=True):
    """The zygote has waited for the replica; status as of os.waitstatus_to_exitcode (negative = signal)."""

    replica: str
    pid: int
    status: int


FromZygote: TypeAlias = Forked | ForkFailed | Reaped
