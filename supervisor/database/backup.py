"""Copies of the state: both files as of one moment while they are written to, and what stands beside them.

    state_dir/backups/20261124T233501Z[-before-migrations]/    mode 0700; there only when complete
        gatherer.db  market.db  limiter.journal  overrides.toml

1. `pin` opens a read transaction on each file, between two transactions of the writer: one moment for both
2. `copy` copies them page by page; the writer goes on meanwhile, only its log cannot be shortened
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from supervisor.core.errors import ConfigurationError

FOLDER = "backups"
DATABASES = ("gatherer.db", "market.db")
BESIDE = ("limiter.journal", "overrides.toml")
BEFORE_MIGRATIONS = "-before-migrations"
# Automatic ones; what a person asked for is never deleted.
KEEP_AUTOMATIC = 3
PAGES_A_STEP = 4096
_PART = ".part"


def pin(state_dir: Path) -> list[sqlite3.Connection]:
    """Return a connection to each file that sees it as it is now, whatever is committed later."""
    return [_pinned(state_dir / name) for name in DATABASES if (state_dir / name).exists()]


def copy(pinned: Iterable[sqlite3.Connection], state_dir: Path, now: float, suffix: str = "") -> Path:
    """Write a backup from what `pin` returned, closing it, and return its folder.

    now: wall seconds. OSError, sqlite3.Error: it cannot be written; nothing is left then.
    """
    name = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ") + suffix
    folder = state_dir / FOLDER / name
    part = folder.with_name(name + _PART)
    part.mkdir(mode=0o700, parents=True)
    try:
        for source in pinned:
            _copy_database(source, part)
        for beside in BESIDE:
            if (state_dir / beside).exists():
                shutil.copy2(state_dir / beside, part / beside)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return folder


def before_migrations(state_dir: Path, now: float) -> Path:
    """Back up what is about to be migrated, and forget older ones of this sort.

    ConfigurationError: there is no room, or it cannot be written; then nothing must be migrated.
    """
    needed = sum((state_dir / name).stat().st_size for name in DATABASES if (state_dir / name).exists())
    free = shutil.disk_usage(state_dir).free
    if free < needed:
        raise ConfigurationError(
            [f"{state_dir}: {needed:,} bytes are needed to back up before migrating, {free:,} are free; make room"]
        )
    try:
        folder = copy(pin(state_dir), state_dir, now, BEFORE_MIGRATIONS)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError([f"{state_dir / FOLDER}: cannot back up before migrating: {error}"]) from error
    for old in sorted((state_dir / FOLDER).glob(f"*{BEFORE_MIGRATIONS}"))[:-KEEP_AUTOMATIC]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _pinned(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=5.0)
    connection.isolation_level = None
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _copy_database(source: sqlite3.Connection, folder: Path) -> None:
    try:
        path = Path(source.execute("PRAGMA database_list").fetchone()[2])
        os.close(os.open(folder / path.name, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        target = sqlite3.connect(folder / path.name)
        try:
            source.backup(target, pages=PAGES_A_STEP)
        finally:
            target.close()
    finally:
        source.close()
