"""Numbered migrations: apply what is new, refuse what is newer than this program.

    folder/NNNN_name.sql       applied once, in order; all that are new in one transaction
    table migrations(package, number, name, sha256, applied_at) in the same file remembers

A file that changed after it was applied is not applied again; the caller is told.
"""

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.core.errors import ConfigurationError
from supervisor.database.failures import is_of_storage
from supervisor.database.statements import split

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_TABLE = """CREATE TABLE IF NOT EXISTS migrations (
    package TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at REAL NOT NULL,
    PRIMARY KEY (package, number)) STRICT, WITHOUT ROWID"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file."""

    number: int
    name: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What a run did. applied, changed: "package/0001_name"."""

    applied: tuple[str, ...]
    changed: tuple[str, ...]


def find(folder: Path) -> list[Migration]:
    """Return the migrations in `folder` by number; none when there is no such folder.

    ConfigurationError: a file name of another form, a number twice.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match.group(1)) in found:
            raise ConfigurationError([f"{path}: expected a name NNNN_name.sql with a number of its own"])
        data = path.read_bytes()
        found[int(match.group(1))] = Migration(
            number=int(match.group(1)), name=match.group(2), text=data.decode(), sha256=hashlib.sha256(data).hexdigest()
        )
    return [found[number] for number in sorted(found)]


def migrate(connection: sqlite3.Connection, package: str, known: list[Migration], *, now: float) -> Migrated:
    """Bring one package's tables in the connection's main file up to `known`. As `migrate_all`."""
    return migrate_all(connection, {package: known}, now=now)[0]


def migrate_all(connection: sqlite3.Connection, known: Mapping[str, list[Migration]], *, now: float) -> list[Migrated]:
    """Bring the connection's main file up to `known` (by package) in one transaction; must run outside one.

    So a kill in the middle leaves the old schema. ConfigurationError: the file has a migration that this program does
    not know, or one fails; then nothing has changed. sqlite3.Error: the disk or the file fails; the same.
    """
    for package, migrations in known.items():
        refuse_newer(connection, package, migrations)
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_TABLE)
        migrated = [_migrate(connection, package, migrations, now) for package, migrations in known.items()]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return migrated


def refuse_newer(connection: sqlite3.Connection, package: str, known: list[Migration]) -> None:
    """ConfigurationError: the connection's main file has a migration of the package that this program does not know."""
    newest = max((migration.number for migration in known), default=0)
    newer = sorted((number, name) for number, (name, _) in _applied(connection, package).items() if number > newest)
    if newer:
        number, name = newer[-1]
        raise ConfigurationError(
            [f"the database has {package}/{number:04}_{name}, which is newer than this program; update it"]
        )


def is_behind(connection: sqlite3.Connection, package: str, known: list[Migration]) -> bool:
    """Tell whether `migrate` would change what earlier runs of the package have made."""
    applied = _applied(connection, package)
    return bool(applied) and any(migration.number not in applied for migration in known)


def _applied(connection: sqlite3.Connection, package: str) -> dict[int, tuple[str, str]]:
    """Return (name, sha256) by number of what the main file has of the package."""
    tables = connection.execute("SELECT count(*) FROM main.sqlite_master WHERE name = 'migrations'").fetchone()[0]
    if not tables:
        return {}
    query = "SELECT number, name, sha256 FROM main.migrations WHERE package = ?"
    return {number: (name, sha256) for number, name, sha256 in connection.execute(query, (package,))}


def _migrate(connection: sqlite3.Connection, package: str, known: list[Migration], now: float) -> Migrated:
    applied = _applied(connection, package)
    fresh = [migration for migration in known if migration.number not in applied]
    for migration in fresh:
        _apply(connection, package, migration, now)
    changed = [m for m in known if m.number in applied and applied[m.number][1] != m.sha256]
    return Migrated(
        applied=tuple(f"{package}/{m.number:04}_{m.name}" for m in fresh),
        changed=tuple(f"{package}/{m.number:04}_{m.name}" for m in changed),
    )


def _apply(connection: sqlite3.Connection, package: str, migration: Migration, now: float) -> None:
    try:
        for part in split(migration.text):
            connection.execute(part)
        row = (package, migration.number, migration.name, migration.sha256, now)
        connection.execute("INSERT INTO migrations VALUES (?, ?, ?, ?, ?)", row)
    except sqlite3.Error as error:
        if is_of_storage(error):
            raise  # not the migration's fault; the start says what it means
        raise ConfigurationError([f"migration {package}/{migration.number:04}_{migration.name}: {error}"]) from error
