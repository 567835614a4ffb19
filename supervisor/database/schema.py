"""Bring both files to the schema of this program and of its job packages."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from supervisor.database.migrations import Migrated, find, is_behind, migrate
from supervisor.database.opening import connect
from supervisor.database.packages import Package

ENGINE = "engine"


def migrate_engine(connection: sqlite3.Connection, now: float) -> Migrated:
    """Apply the engine's own migrations. ConfigurationError as in `migrations.migrate`."""
    return migrate(connection, ENGINE, find(Path(__file__).parent / "migrations"), now=now)


def is_old(connection: sqlite3.Connection, *, packages: Iterable[Package], market_path: Path) -> bool:
    """Tell whether migrating would change tables that may hold something: then a backup comes first."""
    if is_behind(connection, ENGINE, find(Path(__file__).parent / "migrations")):
        return True
    market = connect(market_path)
    try:
        return any(
            is_behind(connection, package.name, package.migrations)
            or is_behind(market, package.name, package.market_migrations)
            for package in packages
        )
    finally:
        market.close()


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
