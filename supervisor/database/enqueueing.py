"""Add jobs, each merged with the unfinished job of the same (worker, entity) if there is one."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from supervisor.database.statements import engine_sql

_ENQUEUE = engine_sql("enqueue")
_UNFINISHED = engine_sql("unfinished")
_COLUMNS = ("kind", "entity", "args", "priority", "run_at", "max_age_s", "deadline_at", "provenance")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """Where an asked job stands. merged: it joined the unfinished job `id`."""

    id: int
    state: str
    merged: bool


def enqueue(connection: sqlite3.Connection, now: float, row: Mapping[str, Any]) -> Enqueued:
    """Add one job. row: as `workers.row_of` makes it."""
    written = connection.execute(_ENQUEUE, {"rows": _as_json([row]), "now": now}).fetchone()
    if written is None:
        job, state = connection.execute(_UNFINISHED, row).fetchone()
        return Enqueued(id=job, state=state, merged=True)
    job, state, merged = written
    return Enqueued(id=job, state=state, merged=merged > 0)


def enqueue_all(connection: sqlite3.Connection, now: float, *, rows: Sequence[Mapping[str, Any]]) -> list[Enqueued]:
    """Add several jobs, in order."""
    return [enqueue(connection, now, row) for row in rows]


def enqueue_unasked(connection: sqlite3.Connection, now: float, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add jobs of which nobody wants to know where they stand (follow-ups, batches)."""
    if rows:
        connection.execute(_ENQUEUE, {"rows": _as_json(rows), "now": now}).fetchall()


def _as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    return _encode([[row[column] for column in _COLUMNS] for row in rows]).decode()
