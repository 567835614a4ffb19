"""Who holds a job: the check that stands before every change under a lease, and lease numbers."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from supervisor.core.errors import RefusedError
from supervisor.core.messages.replica_database import ALREADY_DONE, LOST
from supervisor.database.statements import engine_sql

LEASES_RESERVED = 1_000_000

_LOOK = engine_sql("look_at_lease")
_GET = engine_sql("engine_get")
_SET = engine_sql("engine_set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A job under the lease that asks. attempt: attempts spent."""

    job: int
    lease: int
    kind: str
    entity: str
    attempt: int


def look(connection: sqlite3.Connection, job: int, lease: int, replica: str) -> Held | str:
    """Return the held job, or ALREADY_DONE (this lease ended it) or LOST (not its lease, or not `replica`'s).

    Lease numbers can be guessed, so the holder must be right too.
    """
    row = connection.execute(_LOOK, {"job": job}).fetchone()
    if row is None or row[1] != lease or lease <= 0:
        return LOST
    state, _, attempt, kind, entity, holder = row
    if state != "executing":
        return ALREADY_DONE
    if holder != replica:
        return LOST
    return Held(job=job, lease=lease, kind=kind, entity=entity, attempt=attempt)


def must_hold(connection: sqlite3.Connection, job: int, lease: int, replica: str) -> Held:
    """Return the held job. RefusedError when the lease does not hold it any more."""
    held = look(connection, job, lease, replica)
    if isinstance(held, str):
        raise RefusedError(f"job {job} is not held under lease {lease}: {held}")
    return held


def parameters(held: Held, parts: dict[str, str], now: float) -> dict[str, Any]:
    """Return what every statement of a job may use beside its row."""
    return {"now": now, "job": held.job, "entity": held.entity, "worker": held.kind, "lease": held.lease, **parts}


class LeaseNumbers:
    """Numbers that no lease has had before, not even before a restart: rows tagged by lease never mix.

    Blocks are reserved in table `engine`, so that a claim need not write a counter. Writer thread only.
    """

    def __init__(self) -> None:
        self._next = 0

    def take(self, connection: sqlite3.Connection, n: int) -> int:
        """Return the first of `n` fresh numbers in a row, n ≤ LEASES_RESERVED; inside a transaction."""
        row = connection.execute(_GET, {"name": "lease"}).fetchone()
        reserved = row[0] if row else 0
        # Looked up each time, because the transaction that reserved may have been lost.
        if self._next == 0 or self._next + n - 1 > reserved:
            self._next = max(self._next, reserved + 1)
            connection.execute(_SET, {"name": "lease", "value": self._next + LEASES_RESERVED - 1})
        self._next += n
        return self._next - n
