"""What happens to the jobs of a replica that is gone.

A replica that ended by our own hand gives its jobs back. One that crashed with one job on board counts
a crash against that job; POISON_AFTER of them discard it with the evidence. With several on board none
can be blamed: all are suspects and run alone next time (`claiming.py`).
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from supervisor.database.statements import engine_sql

POISON_AFTER = 3

_HELD = engine_sql("held_by_replica")
_TAKE_AWAY = engine_sql("take_away")
_DISCARD = engine_sql("discard_poison")
_FOLD_AGAIN = engine_sql("fold_again")
_ABORT_BATCH = engine_sql("batch_abort_of_lease")
_ALL_EXECUTING = engine_sql("all_executing")
_GET = engine_sql("engine_get")
_SET = engine_sql("engine_set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a replica's leases ended. poisoned: (job, kind, entity, error)."""

    released: int
    poisoned: tuple[tuple[int, str, str, str], ...] = ()


def end_leases(connection: sqlite3.Connection, now: float, *, replica: str, crashed: bool, status: str) -> Ended:
    """End all leases of `replica`. Safe when repeated: it then holds nothing."""
    held = connection.execute(_HELD, {"replica": replica}).fetchall()
    if crashed and len(held) == 1:
        return _blame(connection, now, replica, status, held[0])
    for job, lease, suspect, crashes, *_ in held:
        error = f"{replica} crashed with {len(held)} jobs: {status}" if crashed else ""
        _release(connection, job, lease, suspect=1 if crashed else suspect, crashes=crashes, error=error)
    return Ended(released=len(held))


def end_stray_leases(
    connection: sqlite3.Connection, now: float, *, replica: str, keep: list[int], old: list[int]
) -> Ended:
    """End those `old` leases of `replica` that it does not `keep`: their claim's reply never reached it."""
    lost = set(old) - set(keep)
    held = [row for row in connection.execute(_HELD, {"replica": replica}).fetchall() if row[1] in lost]
    for job, lease, suspect, crashes, *_ in held:
        _release(connection, job, lease, suspect=suspect, crashes=crashes, error="")
    return Ended(released=len(held))


def adopt(connection: sqlite3.Connection, now: float, *, supervisor: str) -> list[tuple[str, int, int]]:
    """Return the leases (replica, job, lease) that still hold under `supervisor`.

    Under a new one none does: the replicas died with the old supervisor. Their jobs become suspects,
    for one of them may have taken the machine down, but no crash is counted: most likely it was none of
    them, and three restarts of a supervisor must not poison a long job.
    """
    row = connection.execute(_GET, {"name": "supervisor"}).fetchone()
    executing: list[tuple[str, int, int]] = connection.execute(_ALL_EXECUTING).fetchall()
    if row is not None and row[0] == supervisor:
        return executing
    connection.execute(_SET, {"name": "supervisor", "value": supervisor})
    for replica in {replica for replica, _, _ in executing}:
        for job, lease, _, crashes, *_ in connection.execute(_HELD, {"replica": replica}).fetchall():
            _release(connection, job, lease, suspect=1, crashes=crashes, error="its supervisor ended")
    return []


def _blame(connection: sqlite3.Connection, now: float, replica: str, status: str, row: tuple[Any, ...]) -> Ended:
    job, lease, _, crashes, kind, entity = row
    error = f"crash {crashes + 1} alone on {replica}: {status}"
    if crashes + 1 < POISON_AFTER:
        _release(connection, job, lease, suspect=1, crashes=crashes + 1, error=error)
        return Ended(released=1)
    error = f"poison: {error}"
    connection.execute(_ABORT_BATCH, {"lease": lease})
    connection.execute(_FOLD_AGAIN, {"job": job})  # who retries it by hand runs what was asked meanwhile too
    connection.execute(_DISCARD, {"job": job, "crashes": crashes + 1, "error": error, "now": now})
    return Ended(released=0, poisoned=((job, kind, entity, error),))


def _release(connection: sqlite3.Connection, job: int, lease: int, *, suspect: int, crashes: int, error: str) -> None:
    connection.execute(_TAKE_AWAY, {"job": job, "lease": lease, "suspect": suspect, "crashes": crashes, "error": error})
    connection.execute(_FOLD_AGAIN, {"job": job})
    connection.execute(_ABORT_BATCH, {"lease": lease})
