"""Bring both files to the schema of this program and of its job packages."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from supervisor.database.migrations import Migrated, find, migrate
from supervisor.database.opening import connect
from supervisor.database.packages import Package

ENGINE = "engine"


def migrate_engine(connection: sqlite3.Connection, now: float) -> Migrated:
    """Apply the engine's own migrations. ConfigurationError as in `migrations.migrate`."""
    return migrate(connection, ENGINE, find(Path(__file__).parent / "migrations"), now=now)


def migrate_packages(
    connection: sqlite3.Connection, now: float, *, packages: Iterable[Package], market_path: Path
) -> list[Migrated]:
    """Apply the packages' migrations, market.db through a connection of its own. Must run outside a transaction."""
    migrated: list[Migrated] = []
    for package in packages:
        migrated.append(migrate(connection, package.name, package.migrations, now=now))
        if package.market_migrations:
            market = connect(market_path)
            try:
                migrated.append(migrate(market, package.name, package.market_migrations, now=now))
            finally:
                market.close()
    return migrated
