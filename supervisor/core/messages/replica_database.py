"""Between a replica and the database process: claim, rows, finish. `run_dir/database.sock`."""

from typing import TypeAlias

from supervisor.core.job import ClaimedJob, Effect, NewJob
from supervisor.core.messages.base import Message

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
