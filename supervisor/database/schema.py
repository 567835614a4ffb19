"""Bring both files to the schema of this program and of its job packages: each in one transaction."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from supervisor.database.migrations import Migrated, Migration, find, is_behind, migrate_all, refuse_newer
from supervisor.database.opening import connect
from supervisor.database.packages import Package

ENGINE = "engine"

Known: TypeAlias = dict[str, list[Migration]]


def refuse_newer_schema(connection: sqlite3.Connection, *, packages: Iterable[Package], market_path: Path) -> None:
    """ConfigurationError: either file has a migration that this program does not know. Changes nothing."""
    for file, known in _files(connection, packages, market_path):
        for package, migrations in known.items():
            refuse_newer(file, package, migrations)


def is_old(connection: sqlite3.Connection, *, packages: Iterable[Package], market_path: Path) -> bool:
    """Tell whether migrating would change tables that may hold something: then a backup comes first."""
    return any(
        is_behind(file, package, migrations)
        for file, known in _files(connection, packages, market_path)
        for package, migrations in known.items()
    )


def migrate_schema(
    connection: sqlite3.Connection, now: float, *, packages: Iterable[Package], market_path: Path
) -> list[Migrated]:
    """Apply what is new, market.db through a connection of its own. Errors as in `migrations.migrate_all`.

    Killed between the files, one has the new schema and the other the old one; the next start goes on from there.
    """
    return [
        migrated
        for file, known in _files(connection, packages, market_path)
        for migrated in migrate_all(file, known, now=now)
    ]


def _files(
    connection: sqlite3.Connection, packages: Iterable[Package], market_path: Path
) -> Iterator[tuple[sqlite3.Connection, Known]]:
    """Yield each file as some connection's main one, with what it must have of each package."""
    packages = list(packages)
    engine = {ENGINE: find(Path(__file__).parent / "migrations")}
    yield connection, engine | {package.name: package.migrations for package in packages}
    market_known = {package.name: package.market_migrations for package in packages if package.market_migrations}
    if market_known:
        with _opened(market_path) as market:
            yield market, market_known


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(path)
    try:
        yield connection
    finally:
        connection.close()
