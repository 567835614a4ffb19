"""Hand out jobs under lease; suspects run alone.

After a crash with several jobs on board nobody knows which one did it, so each of them next runs
alone on its replica: an idle replica takes it, and when none is idle one replica is kept quiet until
it is (a claim of its gets nothing).
"""

import sqlite3
from typing import Any

import msgspec

from supervisor.core.job import ClaimedJob
from supervisor.database.holding import Held, LeaseNumbers, parameters
from supervisor.database.statements import engine_sql
from supervisor.database.workers import WorkerSpec

QUIET_FOR_S = 60.0

_CLAIM = engine_sql("claim")
_HELD = engine_sql("held_by_replica")
_SUSPECT_WAITS = engine_sql("suspect_waits")


class QuietReplicas:
    """Which replica of a kind is being emptied for a suspect. Writer thread only; a wrong guess costs time only."""

    def __init__(self) -> None:
        self._chosen: dict[str, tuple[str, float]] = {}

    def is_quiet(self, kind: str, replica: str, now: float) -> bool:
        """Tell whether `replica` gets nothing for now; chooses it when nobody is chosen since QUIET_FOR_S."""
        chosen, since = self._chosen.get(kind, ("", 0.0))
        if not chosen or now - since > QUIET_FOR_S:
            self._chosen[kind] = (replica, now)
            return True
        return chosen == replica

    def end(self, kind: str) -> None:
        """Choose anew next time."""
        self._chosen.pop(kind, None)

    def forget(self, replica: str) -> None:
        """Note that `replica` is gone."""
        self._chosen = {kind: chosen for kind, chosen in self._chosen.items() if chosen[0] != replica}


class Claiming:
    """Serve claims on the writer's connection."""

    def __init__(self) -> None:
        self._numbers = LeaseNumbers()
        self.quiet = QuietReplicas()

    def claim(
        self, connection: sqlite3.Connection, now: float, *, spec: WorkerSpec, replica: str, n: int
    ) -> list[ClaimedJob]:
        """Take at most `n` jobs for `replica`, most urgent first, oldest first."""
        held = connection.execute(_HELD, {"replica": replica}).fetchall()
        if any(suspect for _, _, suspect, *_ in held):
            return []
        if connection.execute(_SUSPECT_WAITS, {"worker": spec.name}).fetchone() is not None:
            if not held:
                return self._claim_suspect(connection, now, spec, replica)
            if self.quiet.is_quiet(spec.name, replica, now):
                return []
        return self._take(connection, now, spec=spec, replica=replica, n=n, suspect=0)

    def _claim_suspect(
        self, connection: sqlite3.Connection, now: float, spec: WorkerSpec, replica: str
    ) -> list[ClaimedJob]:
        self.quiet.end(spec.name)
        return self._take(connection, now, spec=spec, replica=replica, n=1, suspect=1)

    def _take(
        self, connection: sqlite3.Connection, now: float, *, spec: WorkerSpec, replica: str, n: int, suspect: int
    ) -> list[ClaimedJob]:
        taken: list[ClaimedJob] = []
        while len(taken) < n:
            lease = self._numbers.next(connection)
            row = connection.execute(
                _CLAIM, {"lease": lease, "replica": replica, "now": now, "worker": spec.name, "suspect": suspect}
            ).fetchone()
            if row is None:
                break
            taken.append(_claimed(connection, now, spec, lease, row))
        return taken


def _claimed(
    connection: sqlite3.Connection, now: float, spec: WorkerSpec, lease: int, row: tuple[Any, ...]
) -> ClaimedJob:
    job, entity, args, priority, attempt, max_age_s, deadline_at, provenance = row
    parts = spec.parts(entity)
    return ClaimedJob(
        id=job,
        lease=lease,
        worker=spec.name,
        entity=entity,
        parts=parts,
        args={} if args == "{}" else msgspec.json.decode(args, type=dict[str, Any]),
        priority=priority,
        attempt=attempt + 1,
        max_age_s=max_age_s,
        deadline_at=deadline_at,
        provenance=provenance,
        context=_context(connection, now, spec, lease, row, parts),
    )


def _context(
    connection: sqlite3.Connection,
    now: float,
    spec: WorkerSpec,
    lease: int,
    row: tuple[Any, ...],
    parts: dict[str, str],
) -> dict[str, Any]:
    statement = spec.convention("context")
    if statement is None:
        return {}
    held = Held(job=row[0], lease=lease, kind=spec.name, entity=row[1], attempt=row[4])
    rows = statement.rows(connection, parameters(held, parts, now))
    return rows[0] if rows else {}
