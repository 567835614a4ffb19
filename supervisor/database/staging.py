"""Jobs announced in bulk: staged row by row, accepted by flipping one row, moved into the queue in turns.

    open ──accept──▶ accepted ──≤ 500 jobs a turn──▶ (deleted)
      └──abort───▶ aborted  ──≤ 500 rows a turn──▶ (deleted)

A batch belongs to a person (`batch.open`) or to the lease of a running job (message Stage).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor.core.clock import Clock
from supervisor.core.errors import RefusedError
from supervisor.database.enqueueing import enqueue_unasked
from supervisor.database.holding import must_hold
from supervisor.database.statements import engine_sql
from supervisor.database.writer import Lane, Writer

ROWS_A_TURN = 250
IDLE_BATCH_S = 3600.0
IDLE_LOOK_EVERY_S = 60.0

_OPEN = engine_sql("batch_open")
_OF_LEASE = engine_sql("batch_of_lease")
_LOOK = engine_sql("batch_look")
_GROW = engine_sql("batch_grow")
_CLOSE = engine_sql("batch_close")
_STAGE = engine_sql("stage")
_TO_MOVE = engine_sql("batch_to_move")
_TO_DELETE = engine_sql("batch_to_delete")
_FIRST = engine_sql("staged_first")
_DELETE = engine_sql("staged_delete")
_MOVED = engine_sql("batch_moved")
_DONE = engine_sql("batch_done")
_DELETE_BATCH = engine_sql("batch_delete")
_ABORT_IDLE = engine_sql("batches_abort_idle")
_ABORT_STRAYS = engine_sql("batches_abort_strays")

_COLUMNS = ("n", "kind", "entity", "args", "priority", "run_at", "max_age_s", "deadline_at", "provenance")


def open_batch(connection: sqlite3.Connection, now: float, *, lease: int | None = None) -> int:
    """Open a batch and return its number."""
    number: int = connection.execute(_OPEN, {"lease": lease, "now": now}).fetchone()[0]
    return number


def open_end(connection: sqlite3.Connection, now: float, *, batch: int) -> int:
    """Return how many rows an open batch has. RefusedError when it is not open."""
    found = connection.execute(_LOOK, {"batch": batch}).fetchone()
    if found is None or found[0] != "open":
        raise RefusedError(f"batch {batch} is not open")
    staged: int = found[1]
    return staged


def write(
    connection: sqlite3.Connection, now: float, *, batch: int, first: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write rows (as `workers.row_of` makes them) from number `first`; they count after `grow` only."""
    connection.executemany(_STAGE, [{**row, "batch": batch, "n": first + i} for i, row in enumerate(rows)])


def grow(connection: sqlite3.Connection, now: float, *, batch: int, first: int, n: int) -> int:
    """Let the `n` rows written from `first` count; return how many the batch has.

    RefusedError when it is not open, or when somebody else has grown it meanwhile: a batch has one author.
    """
    if open_end(connection, now, batch=batch) != first:
        raise RefusedError(f"batch {batch} is being written by somebody else")
    connection.execute(_GROW, {"batch": batch, "n": n, "now": now})
    return first + n


def stage(
    connection: sqlite3.Connection, now: float, *, job: int, lease: int, replica: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add follow-ups to the batch of a running job. RefusedError when the lease is not its own."""
    must_hold(connection, job, lease, replica)
    found = connection.execute(_OF_LEASE, {"lease": lease}).fetchone()
    batch = found[0] if found else open_batch(connection, now, lease=lease)
    first = open_end(connection, now, batch=batch)
    write(connection, now, batch=batch, first=first, rows=rows)
    grow(connection, now, batch=batch, first=first, n=len(rows))


def close(connection: sqlite3.Connection, now: float, *, batch: int, state: str) -> int:
    """Accept or abort; return how many jobs the batch has. Repeating is fine, changing one's mind is refused.

    A batch that is all moved is forgotten; to accept it again is then refused, and nothing is lost by it.
    """
    connection.execute(_CLOSE, {"batch": batch, "state": state})
    found = connection.execute(_LOOK, {"batch": batch}).fetchone()
    if found is None or found[0] != state:
        raise RefusedError(f"batch {batch} is {found[0] if found else 'unknown'}")
    staged: int = found[1]
    return staged


def abort_strays(connection: sqlite3.Connection, now: float) -> None:
    """Abort what was being staged when this process ended, but for jobs that still run: nobody was told that
    it is accepted."""
    connection.execute(_ABORT_STRAYS)


def move_some(connection: sqlite3.Connection, now: float) -> int:
    """Move at most ROWS_A_TURN jobs of the oldest accepted batch into the queue; return how many rows were handled."""
    found = connection.execute(_TO_MOVE).fetchone()
    if found is None:
        return 0
    batch, end = found
    rows = connection.execute(_FIRST, {"batch": batch, "end": end, "limit": ROWS_A_TURN}).fetchall()
    enqueue_unasked(connection, now, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    _drop(connection, batch, rows)
    if len(rows) < ROWS_A_TURN:
        connection.execute(_DONE, {"batch": batch})
    return max(1, len(rows))


def delete_some(connection: sqlite3.Connection, now: float) -> int:
    """Delete at most ROWS_A_TURN rows of an aborted batch; return how many rows were handled."""
    found = connection.execute(_TO_DELETE).fetchone()
    if found is None:
        return 0
    batch = found[0]
    rows = connection.execute(_FIRST, {"batch": batch, "end": 2**62, "limit": ROWS_A_TURN}).fetchall()
    _drop(connection, batch, rows)
    if len(rows) < ROWS_A_TURN:
        connection.execute(_DELETE_BATCH, {"batch": batch})
    return max(1, len(rows))


def _drop(connection: sqlite3.Connection, batch: int, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        connection.execute(_DELETE, {"batch": batch, "n": rows[-1][0]})
        connection.execute(_MOVED, {"batch": batch, "n": len(rows)})


class Mover:
    """Work off closed batches, one turn at a time. Rung when one was closed."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    async def run_once(self) -> float:
        """Move until nothing is left; return when to look again (monotonic seconds)."""
        while await self._writer.do(move_some, Lane.BULK) or await self._writer.do(delete_some, Lane.BULK):
            pass
        await self._writer.do(_abort_idle)
        return self._clock.monotonic() + IDLE_LOOK_EVERY_S


def _abort_idle(connection: sqlite3.Connection, now: float) -> None:
    connection.execute(_ABORT_IDLE, {"before": now - IDLE_BATCH_S})
