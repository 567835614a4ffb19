"""What may stand behind the "?" of an address; other names are refused. Absent = no condition, or the default."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

MAX_LIMIT = 10**9
MAX_NUMBER = 2**62

State: TypeAlias = Literal["scheduled", "available", "executing", "retryable", "completed", "cancelled", "discarded"]
Priority: TypeAlias = Literal["urgent", "normal", "background"]
Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_LIMIT, description="At most so many; less where it must.")]


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown names are mistakes."""


class JobFilter(Query, frozen=True):
    """Which jobs."""

    worker: str | UnsetType = UNSET
    state: State | UnsetType = UNSET
    outcome: str | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    entity: str | UnsetType = UNSET


class JobsQuery(JobFilter, frozen=True):
    """Which jobs, and which page of them: `after` is the `next` of the page before."""

    limit: Limit | UnsetType = UNSET
    after: Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)] | UnsetType = UNSET


class ChangeQuery(JobFilter, frozen=True):
    """Which jobs; with dry_run they are only counted."""

    dry_run: bool | UnsetType = UNSET


class WaitQuery(Query, frozen=True):
    """How long to wait; longer than 60 counts as 60."""

    timeout_s: Annotated[int, msgspec.Meta(ge=0, le=MAX_LIMIT)] | UnsetType = UNSET


class NameQuery(Query, frozen=True):
    """Which one; absent = all."""

    name: str | UnsetType = UNSET


class WorkerQuery(Query, frozen=True):
    """Of which worker."""

    worker: str | UnsetType = UNSET


class ExportQuery(Query, frozen=True):
    """Which page of which table: `after` is the `next` of the page before."""

    table: str
    limit: Limit | UnsetType = UNSET
    after: str | UnsetType = UNSET
