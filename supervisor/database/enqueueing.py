"""Add jobs, each merged with the unfinished job of the same (worker, entity) if there is one."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from supervisor.database.statements import engine_sql

_ENQUEUE = engine_sql("enqueue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """Where an asked job stands. merged: it joined the unfinished job `id`."""

    id: int
    state: str
    merged: bool


def enqueue(connection: sqlite3.Connection, now: float, row: Mapping[str, Any]) -> Enqueued:
    """Add one job. row: as `workers.row_of` makes it."""
    job, state, merged = connection.execute(_ENQUEUE, {**row, "now": now}).fetchone()
    return Enqueued(id=job, state=state, merged=merged > 0)


def enqueue_all(connection: sqlite3.Connection, now: float, *, rows: Sequence[Mapping[str, Any]]) -> list[Enqueued]:
    """Add several jobs, in order."""
    return [enqueue(connection, now, row) for row in rows]
