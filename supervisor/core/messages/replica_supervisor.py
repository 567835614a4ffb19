"""Between a replica and its supervisor: life, permits, what was measured. A socketpair given at fork."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from supervisor.core.messages.base import Message, Natural, Seconds

Outcomes: TypeAlias = Literal["done", "skipped", "gone", "retry", "snooze", "unparsed", "discard"]


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
