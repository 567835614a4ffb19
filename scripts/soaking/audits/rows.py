"""The result tables of a broken run and of an unbroken one, row by row; history too.

Compared as they are, but for the columns of MOMENTS (times of our own: only whether they are set), and UNTOLD (whose
job or moment it was). Not compared are the tables of OWN: they count our tries, not the world.
"""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import TypeAlias

MOMENTS = {
    *("last_attempt_at", "gone_since", "absent_at", "joined_at", "seen_at", "published_at", "checked_at", "doubted_at"),
    *("success_at", "status_success_at", "summary_success_at", "pets_success_at", "mounts_success_at"),
    *("media_success_at", "roster_success_at", "equipment_success_at", "specializations_success_at"),
    *("keystones_success_at", "raids_success_at", "professions_success_at", "item_success_at"),
}
# changed_at moves with a scan that sees a change; wanted_at with whichever house asked for an item first.
UNTOLD = {
    "events": {"seen_from", "seen_until", "job", "lease"},
    "guilds": {"changed_at"},
    "items": {"wanted_at"},
}
TABLES = {
    "gatherer": (
        "characters", "guilds", "guild_members", "events", "profiles", "realms", "items", "auction_snapshots",
        "item_prices",
    ),
    "market": ("auctions",),
}  # fmt: skip  # one file a line, where it fits
# Tries and positions, kept bodies, the queue and the engine's own memory.
OWN = {
    *("absence", "absence_counts", "index_positions", "unparsed_bodies", "deed_effects"),
    *("jobs", "job_counts", "batches", "staged_jobs", "schedules", "engine", "migrations"),
}
SHOWN = 3

Rows: TypeAlias = Counter[tuple[object, ...]]


def different(broken: Path, unbroken: Path) -> list[str]:
    """Compare the two files of two state folders; one finding for each table that differs, with examples."""
    findings = []
    for file, tables in TABLES.items():
        with _opened(broken / f"{file}.db") as ours, _opened(unbroken / f"{file}.db") as theirs:
            findings += _unknown(file, ours)
            for table in tables:
                findings += _differences(table, read(ours, table), read(theirs, table))
    return findings


def twice(state: Path) -> list[str]:
    """Find what history tells more than once."""
    with _opened(state / "gatherer.db") as database:
        repeated = [(row, n) for row, n in read(database, "events").items() if n > 1]
    return [f"history says {n} times: {row}" for row, n in repeated[:SHOWN]]


def empty(state: Path) -> list[str]:
    """Object to tables without rows: comparing nothing with nothing proves nothing."""
    return [f"{table} has no rows to compare" for table, rows in count(state).items() if not rows]


def count(state: Path) -> dict[str, int]:
    """Return the rows of each compared table."""
    counts: dict[str, int] = {}
    for file, tables in TABLES.items():
        with _opened(state / f"{file}.db") as database:
            counts |= {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    return counts


def read(database: sqlite3.Connection, table: str) -> Rows:
    """Return the rows of a table, how often each, without what is our own."""
    cursor = database.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    left_out = UNTOLD.get(table, set())
    assert left_out <= set(names), f"{table} has no {left_out - set(names)}"
    kept = [(place, name in MOMENTS) for place, name in enumerate(names) if name not in left_out]
    return Counter(tuple(bool(row[place]) if moment else row[place] for place, moment in kept) for row in cursor)


class _opened:
    """A database file, to read."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _unknown(file: str, database: sqlite3.Connection) -> list[str]:
    """Object to a table that nobody has decided about, lest a new one go unseen."""
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    known = OWN | {*TABLES[file]}
    return [f"{file}.db has a table that no audit knows: {name}" for (name,) in found if name not in known]


def _differences(table: str, ours: Rows, theirs: Rows) -> list[str]:
    surplus, lacking = ours - theirs, theirs - ours
    if not surplus and not lacking:
        return []
    examples = [f"only here {row}" for row in list(surplus)[:SHOWN]] + [
        f"only without faults {row}" for row in list(lacking)[:SHOWN]
    ]
    head = f"{table}: {surplus.total()} rows that the run without faults has not, {lacking.total()} that it has alone"
    return [f"{head}: {'; '.join(examples)}"]
