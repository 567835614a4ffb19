"""Copies of the state: both files as of one moment while they are written to, and what stands beside them.

    state_dir/backups/20261124T233501Z[-before-migrations]/    mode 0700; there only when complete
        gatherer.db  market.db  limiter.journal  overrides.toml

1. `pin` opens a read transaction on each file, between two transactions of the writer: one moment for both
2. `copy` copies them page by page into a folder ….part; the writer goes on meanwhile, only its log cannot be shortened
3. what was copied is checked and brought to the disk, then the folder gets its name

So a folder with its name is whole and on the disk, and damage in the state is found by the next backup at the latest. A
folder ….part is what a killed backup left: the next one deletes it, and `restore` does not take it.
"""

import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from supervisor.core.errors import ConfigurationError
from supervisor.database.damage import DATABASES, NoRoomError, first_damage
from supervisor.database.failures import is_full
from supervisor.settings.durable import sync_folder

FOLDER = "backups"
BESIDE = ("limiter.journal", "overrides.toml")
BEFORE_MIGRATIONS = "-before-migrations"
# Automatic ones; what a person asked for is never deleted.
KEEP_AUTOMATIC = 3
PAGES_A_STEP = 4096
PART = ".part"


class DamagedError(sqlite3.DatabaseError):
    """Say that a file of the state is damaged: a copy of it is no backup."""


def pin(state_dir: Path) -> list[sqlite3.Connection]:
    """Return a connection to each file that sees it as it is now, whatever is committed later."""
    return [_pinned(state_dir / name) for name in DATABASES if (state_dir / name).exists()]


def copy(pinned: Iterable[sqlite3.Connection], state_dir: Path, now: float, suffix: str = "") -> Path:
    """Write a backup from what `pin` returned, closing it, and return its folder.

    One at a time. now: wall seconds. OSError, sqlite3.Error: it cannot be written, or the state is damaged; nothing is
    left then.
    """
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (f"{moment}{suffix}" if number == 1 else f"{moment}-{number}{suffix}" for number in itertools.count(1))
    folder = next(each for name in names if not (each := state_dir / FOLDER / name).exists())
    part = folder.with_name(folder.name + PART)
    sources = list(pinned)
    try:
        for stray in (state_dir / FOLDER).glob(f"*{PART}"):
            shutil.rmtree(stray, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        for source in sources:
            _copy_database(source, part)
        for beside in BESIDE:
            if (state_dir / beside).exists():
                shutil.copy2(state_dir / beside, part / beside)
        _bring_to_disk(part)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    finally:
        for source in sources:
            source.close()
    sync_folder(folder.parent)
    sync_folder(state_dir)
    return folder


def before_migrations(state_dir: Path, now: float) -> Path:
    """Back up what is about to be migrated, and forget older ones of this sort.

    NoRoomError: there is no room for it. ConfigurationError: it cannot be written, or the state is damaged. In both
    cases nothing must be migrated.
    """
    needed = sum((state_dir / name).stat().st_size for name in DATABASES if (state_dir / name).exists())
    free = shutil.disk_usage(state_dir).free
    if free < needed:
        raise NoRoomError(
            f"{state_dir}: {needed:,} bytes are needed to back up before migrating, {free:,} are free; make room"
        )
    try:
        folder = copy(pin(state_dir), state_dir, now, BEFORE_MIGRATIONS)
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise NoRoomError(f"{state_dir / FOLDER}: no room to back up before migrating; make room") from error
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
    path = Path(source.execute("PRAGMA database_list").fetchone()[2])
    os.close(os.open(folder / path.name, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    target = sqlite3.connect(folder / path.name)
    try:
        source.backup(target, pages=PAGES_A_STEP)
        found = first_damage(target)
    finally:
        target.close()
    if found:
        raise DamagedError(f"{path}: damaged ({found}); older backups are whole: gatherer restore")


def _bring_to_disk(folder: Path) -> None:
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(folder)
