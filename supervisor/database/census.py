"""Count what is known and how fresh it is, for metrics and the dashboard.

The package's `<kind>_ages` statement returns (seen_at, success_at) of every living entity; `<kind>_brake` returns
a row with `since` while the kind's absences are not believed. Both are optional. A count reads a whole table, so
it is made seldom and by the reader that nobody waits for.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from supervisor.core.clock import Clock
from supervisor.core.database_settings import FreshnessSettings, TierSettings
from supervisor.core.errors import UnavailableError
from supervisor.core.messages.supervisor_database import Census, Counted
from supervisor.database.failures import describe
from supervisor.database.loops import Note
from supervisor.database.reader import Reader
from supervisor.database.workers import Workers, WorkerSpec

HOUR_S = 3600.0
AGE_BOUNDS_S = tuple(hours * HOUR_S for hours in (1, 6, 12, 24, 48, 168, 720))
COUNT_EVERY_S = 60.0
REST_TIMES = 50
"""After a count that took t seconds the next one waits at least this many times t: 2 % of a core at most."""

_GROUPED = """SELECT bucket, is_fresh, count(*) AS entities FROM (
    SELECT {bucket} AS bucket, {fresh} AS is_fresh FROM ({ages}
)) GROUP BY bucket, is_fresh"""


class CensusTaker:
    """Send a `Census` once in COUNT_EVERY_S, or less often where tables are large."""

    def __init__(
        self, *, reader: Reader, workers: Workers, clock: Clock, send: Callable[[Census], None], note: Note
    ) -> None:
        self._reader = reader
        self._workers = workers
        self._clock = clock
        self._send = send
        self._note = note
        self._tiers: dict[str, list[TierSettings]] = {}

    def apply(self, freshness: Sequence[FreshnessSettings]) -> None:
        """Replace what counts as fresh."""
        self._tiers = {settings.worker: settings.tiers for settings in freshness}

    async def run_once(self) -> float:
        """Count every worker's entities; return when to count again."""
        began = self._clock.monotonic()
        kinds: dict[str, Counted] = {}
        brakes: dict[str, float] = {}
        for spec in list(self._workers.configured.values()):
            try:
                if (counted := await self._count(spec)) is not None:
                    kinds[spec.name] = counted
                if (since := await self._braked_since(spec)) is not None:
                    brakes[spec.name] = since
            except (sqlite3.Error, UnavailableError) as error:  # one table must not hide the others
                self._note("census_failed", worker=spec.name, error=describe(error))
        self._send(Census(AGE_BOUNDS_S, kinds, brakes))
        now = self._clock.monotonic()
        return now + max(COUNT_EVERY_S, REST_TIMES * (now - began))

    async def _count(self, spec: WorkerSpec) -> Counted | None:
        statement = spec.convention("ages")
        if statement is None:
            return None
        (ages,) = statement.parts
        tiers = self._tiers.get(spec.name, [])
        sql = _GROUPED.format(bucket=_bucket(), fresh=_fresh(tiers), ages=ages.rstrip().rstrip(";"))
        rows = await self._reader.rows(sql, _parameters(tiers, self._clock.wall()) | {"worker": spec.name})
        by_age = [0] * (len(AGE_BOUNDS_S) + 1)
        fresh = 0
        for row in rows:
            by_age[row["bucket"]] += row["entities"]
            fresh += row["entities"] if row["is_fresh"] else 0
        return Counted(by_age, fresh if tiers else None)

    async def _braked_since(self, spec: WorkerSpec) -> float | None:
        statement = spec.convention("brake")
        if statement is None:
            return None
        rows = await self._reader.rows(statement.parts[-1], {"worker": spec.name, "now": self._clock.wall()})
        return float(rows[0]["since"]) if rows else None


def _bucket() -> str:
    whens = " ".join(f"WHEN :now - success_at <= :bound_{n} THEN {n}" for n in range(len(AGE_BOUNDS_S)))
    return f"CASE {whens} ELSE {len(AGE_BOUNDS_S)} END"


def _fresh(tiers: Sequence[TierSettings]) -> str:
    """Return the question whether an entity is as fresh as its tier, the first that fits, asks for."""
    if not tiers:
        return "0"
    whens = " ".join(
        f"WHEN {'1' if tier.seen_within_s is None else f'seen_at >= :now - :within_{n}'} "
        f"THEN success_at > :now - :every_{n}"
        for n, tier in enumerate(tiers)
    )
    return f"CASE {whens} ELSE 1 END"


def _parameters(tiers: Sequence[TierSettings], now: float) -> dict[str, Any]:
    parameters: dict[str, Any] = {f"bound_{n}": bound_s for n, bound_s in enumerate(AGE_BOUNDS_S)}
    for n, tier in enumerate(tiers):
        parameters |= {f"within_{n}": tier.seen_within_s, f"every_{n}": tier.every_s}
    return parameters | {"now": now}
