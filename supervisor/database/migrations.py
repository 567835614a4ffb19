"""Numbered migrations: apply what is new, refuse what is newer than this program.

    folder/NNNN_name.sql       applied once, in order, each in its own transaction
    table migrations(package, number, name, sha256, applied_at) in the same file remembers

A file that changed after it was applied is not applied again; the caller is told.
"""

import hashlib
import re
import sqlite3
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
    """Bring the connection's main file up to `known`. Must run outside a transaction.

    ConfigurationError: the file has a migration that this program does not know, or one fails (it is
    rolled back; those before it stay).
    """
    connection.execute(_TABLE)
    query = "SELECT number, name, sha256 FROM migrations WHERE package = ?"
    applied = {number: (name, sha256) for number, name, sha256 in connection.execute(query, (package,))}
    newest = max((migration.number for migration in known), default=0)
    newer = sorted(number for number in applied if number > newest)
    if newer:
        name = f"{package}/{newer[-1]:04}_{applied[newer[-1]][0]}"
        raise ConfigurationError([f"the database has {name}, which is newer than this program; update it"])
    fresh = [migration for migration in known if migration.number not in applied]
    for migration in fresh:
        _apply(connection, package, migration, now)
    changed = [m for m in known if m.number in applied and applied[m.number][1] != m.sha256]
    return Migrated(
        applied=tuple(f"{package}/{m.number:04}_{m.name}" for m in fresh),
        changed=tuple(f"{package}/{m.number:04}_{m.name}" for m in changed),
    )


def is_behind(connection: sqlite3.Connection, package: str, known: list[Migration]) -> bool:
    """Tell whether `migrate` would change what earlier runs of the package have made."""
    tables = connection.execute("SELECT count(*) FROM main.sqlite_master WHERE name = 'migrations'").fetchone()[0]
    query = "SELECT number FROM main.migrations WHERE package = ?"
    applied = {number for (number,) in connection.execute(query, (package,))} if tables else set()
    return bool(applied) and any(migration.number not in applied for migration in known)


def _apply(connection: sqlite3.Connection, package: str, migration: Migration, now: float) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for part in split(migration.text):
            connection.execute(part)
        row = (package, migration.number, migration.name, migration.sha256, now)
        connection.execute("INSERT INTO migrations VALUES (?, ?, ?, ?, ?)", row)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if is_of_storage(error):
            raise  # not the migration's fault; the start says what it means
        raise ConfigurationError([f"migration {package}/{migration.number:04}_{migration.name}: {error}"]) from error
