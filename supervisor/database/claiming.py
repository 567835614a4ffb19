"""Hand out jobs under lease; suspects run alone.

After a crash with several jobs on board nobody knows which one did it, so each of them next runs
alone on its replica: an idle replica takes it, and when none is idle one replica is kept quiet until
it is (a claim of its gets nothing).
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from supervisor.core.job import ClaimedJob
from supervisor.database.holding import Held, LeaseNumbers, parameters
from supervisor.database.statements import engine_sql
from supervisor.database.workers import WorkerSpec

QUIET_FOR_S = 60.0

_CLAIM = engine_sql("claim")
_HELD = engine_sql("held_by_replica")
_REPLICAS_OF_SUSPECTS = engine_sql("replicas_of_suspects")
_SUSPECT_WAITS = engine_sql("suspect_waits")

_encode = msgspec.json.Encoder().encode


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


@dataclass(frozen=True, slots=True)
class Ask:
    """A replica's wish for at most `n` jobs."""

    replica: str
    n: int


class Claiming:
    """Serve claims on the writer's connection."""

    def __init__(self) -> None:
        self._numbers = LeaseNumbers()
        self.quiet = QuietReplicas()

    def claim(
        self, connection: sqlite3.Connection, now: float, asks: Sequence[Ask], *, spec: WorkerSpec
    ) -> list[list[ClaimedJob]]:
        """Take jobs for each of `asks`, most urgent first, oldest first; whoever asks first has the first ones."""
        if connection.execute(_SUSPECT_WAITS, {"worker": spec.name}).fetchone() is not None:
            return [self._claim_beside_suspects(connection, now, spec, ask) for ask in asks]
        alone = {replica for (replica,) in connection.execute(_REPLICAS_OF_SUSPECTS)}
        wanting = [ask if ask.replica not in alone else Ask(ask.replica, 0) for ask in asks]
        return self._take(connection, now, spec, wanting, suspect=0)

    def _claim_beside_suspects(
        self, connection: sqlite3.Connection, now: float, spec: WorkerSpec, ask: Ask
    ) -> list[ClaimedJob]:
        """Take jobs while a suspect waits: it, when the replica is idle."""
        held = connection.execute(_HELD, {"replica": ask.replica}).fetchall()
        if any(suspect for _, _, suspect, *_ in held):
            return []
        if not held:
            self.quiet.end(spec.name)
            return self._take(connection, now, spec, [Ask(ask.replica, 1)], suspect=1)[0]
        if self.quiet.is_quiet(spec.name, ask.replica, now):
            return []
        return self._take(connection, now, spec, [ask], suspect=0)[0]

    def _take(
        self, connection: sqlite3.Connection, now: float, spec: WorkerSpec, asks: Sequence[Ask], *, suspect: int
    ) -> list[list[ClaimedJob]]:
        replicas = [ask.replica for ask in asks for _ in range(ask.n)]
        if not replicas:
            return [[] for _ in asks]
        first = self._numbers.take(connection, len(replicas))
        values = {"first_lease": first, "now": now, "worker": spec.name, "suspect": suspect}
        rows = connection.execute(_CLAIM, {"replicas": _encode(replicas).decode(), **values}).fetchall()
        # The rows come in no order that SQLite would promise; leases were given in the order of urgency.
        taken = iter([_claimed(connection, now, spec, row) for row in sorted(rows)])
        return [list(islice(taken, ask.n)) for ask in asks]


def _claimed(connection: sqlite3.Connection, now: float, spec: WorkerSpec, row: tuple[Any, ...]) -> ClaimedJob:
    lease, job, entity, args, priority, attempt, max_age_s, deadline_at, provenance = row
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
        context=_context(
            connection, now, spec, Held(job=job, lease=lease, kind=spec.name, entity=entity, attempt=attempt), parts
        ),
    )


def _context(
    connection: sqlite3.Connection, now: float, spec: WorkerSpec, held: Held, parts: dict[str, str]
) -> dict[str, Any]:
    statement = spec.convention("context")
    if statement is None:
        return {}
    rows = statement.rows(connection, parameters(held, parts, now))
    return rows[0] if rows else {}
