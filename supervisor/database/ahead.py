"""Know which statements write market.db: their rows go ahead of the finish (`work.rows`), never in it.

A finish that wrote both files could be cut by a loss of power after the one and before the other: the job would be
completed and its rows would be gone. Found out once for each package, by letting SQLite prepare its statements against
empty tables.
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress

from supervisor.core.errors import UsageError
from supervisor.core.job import Effect
from supervisor.database.migrations import Migration
from supervisor.database.statements import Statement, split

MOST_INSTRUCTIONS = 100_000
_MAKES = re.compile(r"(?:create|alter|drop)\b", re.IGNORECASE)
_WRITES = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)


def market_writers(
    statements: Mapping[str, Statement], main: Iterable[Migration], market: Iterable[Migration]
) -> frozenset[str]:
    """Return the names of the statements that write a table of market.db.

    main, market: the migrations that make the tables. What cannot be prepared here is not among them; it fails later.
    """
    with closing(_prepared(main, market)) as connection:
        return frozenset(name for name, statement in statements.items() if _writes_market(connection, statement))


def refuse_market_rows(effects: Iterable[Effect], writers: frozenset[str]) -> None:
    """UsageError: an effect of a finish writes market.db."""
    for effect in effects:
        if effect.statement in writers:
            raise UsageError(
                f"statement {effect.statement} writes market.db: send its rows ahead with work.rows(), a finish must"
                " not write both files"
            )


def _prepared(main: Iterable[Migration], market: Iterable[Migration]) -> sqlite3.Connection:
    """Return a connection in memory with all tables, those of market.db attached as `market`."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("ATTACH ':memory:' AS market")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as apart:
        _make(apart, market)  # by themselves, for they do not name their file
        connection.deserialize(apart.serialize(), name="market")
    _make(connection, main)
    return connection


def _make(connection: sqlite3.Connection, migrations: Iterable[Migration]) -> None:
    """Make the tables. What fills them is not run: it may take minutes, and each start comes here."""
    connection.set_progress_handler(lambda: True, MOST_INSTRUCTIONS)  # a table made of a SELECT, which fills it too
    for migration in migrations:
        for part in (part for part in split(migration.text) if _MAKES.match(part)):
            with suppress(sqlite3.Error):  # told when it is applied
                connection.execute(part)
    connection.set_progress_handler(None, 0)


def _writes_market(connection: sqlite3.Connection, statement: Statement) -> bool:
    written: set[str | None] = set()

    def note(action: int, table: str | None, column: str | None, schema: str | None, trigger: str | None) -> int:
        if action in _WRITES:
            written.add(schema)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    for part in statement.parts:
        with suppress(sqlite3.Error):  # its parameters are missing; prepared it has been
            connection.execute(f"EXPLAIN {part}")
    connection.set_authorizer(None)
    return "market" in written
