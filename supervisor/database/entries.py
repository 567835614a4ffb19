"""Jobs as people write them, in JSON.

    {"worker": "characters", "entity": "eu/kaelthas/zoé", "priority": "normal", "max_age_s": 0,
     "deadline_s": 60, "args": {}, "provenance": "who asked", "line": 7}

Only worker is required; entity may be spelled by args instead. deadline_s: seconds from now. line: for
the report of problems, otherwise the place in the list, from 1.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from supervisor.core.errors import UsageError
from supervisor.core.job import NewJob, Priority
from supervisor.database.workers import Workers

PROBLEMS_SHOWN = 20


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One asked job."""

    worker: str
    entity: str = ""
    priority: str = "normal"
    max_age_s: float | None = None
    deadline_s: float | None = None
    args: dict[str, Any] = {}
    provenance: str = ""
    line: int | None = None


class _Many(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jobs: list[msgspec.Raw]


class _Line(msgspec.Struct, frozen=True):
    line: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What a body says. rows: for `enqueue`. problems: {"line", "reason"}; any problem = none is taken."""

    rows: list[dict[str, Any]]
    problems: list[dict[str, Any]]


def parse_many(body: bytes, workers: Workers, *, now: float, at_most: int) -> Entries:
    """Parse {"jobs": [...]}. UsageError when the body is no such thing or has too many.

    Pure and slow (about 10 us a job): run it in a thread for thousands.
    """
    try:
        raw = msgspec.json.decode(body, type=_Many).jobs
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(f'expected {{"jobs": [...]}}: {error}') from error
    if len(raw) > at_most:
        raise UsageError(f"{len(raw)} jobs in one request, at most {at_most}")
    rows: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    for place, text in enumerate(raw, 1):
        try:
            rows.append(parse_one(bytes(text), workers, now=now))
        except UsageError as error:
            problems.append({"line": _line_of(bytes(text), place), "reason": str(error)})
    return Entries(rows=rows, problems=problems)


def parse_one(text: bytes, workers: Workers, *, now: float) -> dict[str, Any]:
    """Return one job as a row for `enqueue`. UsageError says what is wrong with it."""
    try:
        entry = msgspec.json.decode(text, type=Entry)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(str(error)) from error
    deadline_at = None if entry.deadline_s is None else now + entry.deadline_s
    return workers.prepare(
        NewJob(
            worker=entry.worker,
            entity=entry.entity,
            args=entry.args,
            priority=priority_of(entry.priority),
            max_age_s=entry.max_age_s,
            deadline_at=deadline_at,
            provenance=entry.provenance,
        )
    )


def priority_of(name: str) -> Priority:
    """Return the priority by its name. UsageError for another word."""
    try:
        return Priority[name.upper()]
    except KeyError as error:
        raise UsageError(f"priority {name[:40]!r}: expected urgent, normal or background") from error


def _line_of(text: bytes, place: int) -> int:
    try:
        return msgspec.json.decode(text, type=_Line).line
    except (msgspec.MsgspecError, RecursionError):
        return place
