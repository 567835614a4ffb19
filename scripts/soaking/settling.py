"""Let a system that is no longer broken finish, as its operator would: restart, retry what failed, ask for the rest."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from scripts.benchmarks.system import System
from scripts.soaking.worlds import Work
from supervisor.core.errors import GathererError

LOOK_EVERY_S = 0.3
ROUND_S = 5.0
UNREAD = "SELECT region || '/' || id FROM items WHERE last_attempt_at = 0"
UNFINISHED = "('scheduled', 'available', 'executing', 'retryable')"


def query(system: System, sql: str, *values: Any, within_s: float = 10.0) -> list[Any]:
    """Read the database behind its back; again while its process is just being replaced."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return system.query(sql, *values)
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_EVERY_S)


def settle(system: System, work: Work, deadline: float) -> str:
    """Return when all of `work` and all auction houses have been read and nothing was left out; else say what is open.

    deadline: monotonic seconds. Whatever was discarded or waits for another try is tried now.
    """
    for stage in ([*work, ("index", "realms")], [("index", "auctions")]):
        if unfinished := _finish(system, stage, deadline):
            return unfinished
    return ""


def _finish(system: System, work: Work, deadline: float) -> str:
    enqueued = False
    while time.monotonic() < deadline:
        with suppress(GathererError):
            if not enqueued:
                ask(system, work)
                enqueued = True
            for state in ("discarded", "retryable", "scheduled"):
                system.daemon.post("/jobs/retry", {"state": state})
            ask(system, left_out(system))
        if _wait_until_idle(system, min(deadline, time.monotonic() + ROUND_S)) and enqueued and not _open(system):
            return ""
    return _open(system) or "work that nobody accepted"


def ask(system: System, work: Work) -> None:
    """Enqueue for the audit's sake: urgent, and whatever was read lately."""
    for kind in sorted({kind for kind, _ in work}):
        system.enqueue(kind, [entity for each, entity in work if each == kind], "urgent", max_age_s=0)


def left_out(system: System) -> Work:
    """Return the items that an auction house has named and nobody has asked for yet."""
    return [("items", entity) for (entity,) in query(system, UNREAD)]


def _open(system: System) -> str:
    """Say what has not ended well, "" when all has."""
    return "; ".join(_complaints(system))


def _complaints(system: System) -> Iterator[str]:
    sql = "SELECT kind, state, count(*), max(error) FROM jobs WHERE state <> 'completed' GROUP BY 1, 2"
    for kind, state, n, error in query(system, sql):
        yield f"{n} {kind} {state}" + (f" ({error[:80]})" if error else "")
    if left := left_out(system):
        yield f"{len(left)} items that nobody has read"


def _wait_until_idle(system: System, deadline: float) -> bool:
    while query(system, f"SELECT 1 FROM jobs WHERE state IN {UNFINISHED} LIMIT 1"):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True
