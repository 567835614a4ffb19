"""Jobs and outcomes: the values that a worker, the database and the supervisor share.

A job's life (states of STYLE's glossary, kept in table `jobs`):

    scheduled ──time──▶ available ──claim──▶ executing ──finish──▶ completed
                           ▲                     │ ├── Retry, Snooze ──▶ retryable / scheduled
                           └────── release ──────┘ └── Discard, Unparsed, attempts spent ──▶ discarded
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import msgspec


class Priority(IntEnum):
    """Class of a job and of its permits; smaller goes first."""

    URGENT = 0
    NORMAL = 1
    BACKGROUND = 2


class NewJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job to be enqueued.

    worker: a name under [workers]. entity: canonical text, parts joined by "/" (`entity.py`).
    run_at, deadline_at: wall seconds; None = now, none. max_age_s: data younger than this needs no
    run; 0 = always run; None = the worker's own idea. provenance: who asked, for people.
    """

    worker: str
    entity: str
    args: dict[str, Any] = {}
    priority: int = Priority.BACKGROUND
    run_at: float | None = None
    max_age_s: float | None = None
    deadline_at: float | None = None
    provenance: str = ""


class ClaimedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job under lease, with what its kind needs to know.

    lease: proof of ownership, named in every later word about the job. parts: entity by part name.
    attempt: this run's number, ≥ 1. context: one row of the kind's `<kind>_context` statement
    ({} when it has none or the row is missing), read inside the claim's transaction.
    """

    id: int
    lease: int
    worker: str
    entity: str
    parts: dict[str, str]
    args: dict[str, Any] = {}
    priority: int = Priority.BACKGROUND
    attempt: int = 1
    max_age_s: float | None = None
    deadline_at: float | None = None
    provenance: str = ""
    context: dict[str, Any] = {}


class Effect(msgspec.Struct, frozen=True, array_like=True):
    """Rows for one named SQL statement; the database runs it once per row, in the finish's transaction."""

    statement: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What every outcome may bring: rows to store and jobs to add, committed with the completion.

    saved: requests that the quota economy did not have to send. note: one short line for people.
    """

    effects: list[Effect] = field(default_factory=list)
    follow_ups: list[NewJob] = field(default_factory=list)
    saved: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Result):
    """The job did what it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped(Result):
    """Nothing was needed; `note` says why (fresh, unchanged)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone(Result):
    """The API says that the entity does not exist (JSON 404, is_valid false)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Result):
    """A passing failure: try again after `after_s` (None = backoff); spends an attempt."""

    error: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze(Result):
    """Not now, and nobody's fault: again after `after_s`; spends no attempt."""

    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparsed(Result):
    """A 200 whose body has an unknown shape: not fresh, not retried blindly, body kept.

    endpoint: name for people and metrics, e.g. "character/mounts". body: at most 64 KiB are kept; empty = it was not
    asked for, because others of it did not parse.
    """

    endpoint: str
    error: str
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard(Result):
    """The job cannot succeed; `error` says why."""

    error: str


Outcome: TypeAlias = Done | Skipped | Gone | Retry | Snooze | Unparsed | Discard
