"""What was accepted is completed, waits, or was discarded with a reason."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

WAITING = ("scheduled", "available", "retryable")
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that was acknowledged. asked_at: wall seconds, before the request was sent."""

    kind: str
    entity: str
    asked_at: float


def lost(database: sqlite3.Connection, ledger: Iterable[Accepted]) -> list[str]:
    """Hold the ledger against the jobs: each acknowledged one waits, or ended after it was asked for."""
    fates = _fates(database)
    missing = [each for each in ledger if not _is_there(fates.get((each.kind, each.entity), []), each.asked_at)]
    return [
        f"lost: {each.kind} {each.entity}, accepted at {each.asked_at:.1f}; of it is there: "
        f"{fates.get((each.kind, each.entity), [])[-2:] or 'nothing'}"
        for each in missing[:SHOWN]
    ] + _more(len(missing), "jobs lost")


def _fates(database: sqlite3.Connection) -> dict[tuple[str, str], list[tuple[str, float | None]]]:
    found: dict[tuple[str, str], list[tuple[str, float | None]]] = {}
    for kind, entity, state, finished_at in database.execute(
        "SELECT kind, entity, state, finished_at FROM jobs ORDER BY id"
    ):
        found.setdefault((kind, entity), []).append((state, finished_at))
    return found


def _is_there(fates: list[tuple[str, float | None]], asked_at: float) -> bool:
    return any(
        state in WAITING or (state in ("completed", "discarded") and (finished_at or 0.0) >= asked_at)
        for state, finished_at in fates
    )


def strange(database: sqlite3.Connection) -> list[str]:
    """Find jobs in a state that a drained program must not leave, or that contradict the table's own rules."""
    findings = [
        f"{n} jobs of {kind} are {state} after the drain"
        for kind, state, n in database.execute(
            "SELECT kind, state, count(*) FROM jobs WHERE state NOT IN"
            " ('scheduled', 'available', 'retryable', 'completed', 'discarded') GROUP BY kind, state"
        )
    ]
    findings += [
        f"job {job} ({kind} {entity}) was discarded without a reason"
        for job, kind, entity in database.execute(
            "SELECT id, kind, entity FROM jobs WHERE state = 'discarded' AND error = '' AND note = '' LIMIT 5"
        )
    ]
    findings += [
        f"{n} unfinished jobs for one thing: {kind} {entity}"
        for kind, entity, n in database.execute(
            "SELECT kind, entity, count(*) FROM jobs WHERE state NOT IN ('completed', 'discarded', 'cancelled')"
            " GROUP BY kind, entity HAVING count(*) > 1 LIMIT 5"
        )
    ]
    return findings + _miscounted(database)


def _miscounted(database: sqlite3.Connection) -> list[str]:
    """Count all jobs once more: job_counts is kept by triggers and must agree."""
    counted = {row[:3]: row[3] for row in database.execute("SELECT kind, state, priority, n FROM job_counts WHERE n")}
    there = {
        row[:3]: row[3]
        for row in database.execute("SELECT kind, state, priority, count(*) FROM jobs GROUP BY kind, state, priority")
    }
    return [] if counted == there else [f"job_counts says {counted}, the jobs are {there}"]


def effects(database: sqlite3.Connection) -> list[str]:
    """Find deeds that took effect twice, and completed ones that took none (scripts/benchmarks/packages/deeds)."""
    twice = database.execute("SELECT deed, count(*) FROM deed_effects GROUP BY deed HAVING count(*) > 1").fetchall()
    without = database.execute(
        "SELECT entity FROM jobs WHERE kind = 'deeds' AND state = 'completed'"
        " AND entity NOT IN (SELECT 'eu/' || deed FROM deed_effects)"
    ).fetchall()
    return [f"deed {deed} took effect {n} times" for deed, n in twice[:SHOWN]] + [
        f"deed {entity} is completed and took no effect" for (entity,) in without[:SHOWN]
    ]


def _more(found: int, what: str) -> list[str]:
    return [f"{found} {what} in all"] if found > SHOWN else []
