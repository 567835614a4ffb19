"""Put a backup in the place of the state, while nobody runs on it.

What is there now is moved to state_dir/backups/…-before-restore, not deleted. The limiter's journal stays: the API
counts on, whatever we restore; only where there is none (a new machine) the backup's is taken.

Everything is copied and on the disk before anything is moved. Killed in between, the start refuses a state without its
gatherer.db, and restoring again puts it right.
"""

import itertools
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from supervisor.core.errors import RefusedError
from supervisor.database.backup import BESIDE, FOLDER, PART
from supervisor.database.damage import DATABASES, first_damage
from supervisor.database.opening import APPLICATION_ID, connect
from supervisor.settings.durable import sync_folder

JOURNAL = "limiter.journal"
# The database first: killed in between, a log without its database is refused by the start, but a database without
# its log would pass for whole.
_LOGS = ("", "-wal", "-shm")
_COPY = ".restoring"


def restore(backup: Path, state_dir: Path, now: float) -> Path:
    """Put `backup` in place and return the folder with what was there.

    The caller holds the locks of `state_dir`. now: wall seconds. RefusedError: the backup is none, damaged, or there is
    no room for it; nothing has been changed then.
    """
    if backup.name.endswith(PART):
        raise RefusedError(f"{backup}: this backup was never finished; take another one")
    for name in DATABASES:
        check(backup / name)
    fresh = _all_copied(backup, state_dir)
    aside = _aside(state_dir, now)
    for name in DATABASES:
        _move_aside(name, state_dir, aside)
    _move(state_dir / "overrides.toml", aside)
    for path in fresh:
        target = state_dir / path.name.removesuffix(_COPY)
        if target.name == JOURNAL and target.exists():
            path.unlink()
        else:
            path.rename(target)
    sync_folder(state_dir)
    return aside


def begin_empty(name: str, state_dir: Path, now: float) -> Path:
    """Put an empty database in the place of `name`, because a person says so; return the folder with what was there.

    The caller holds the locks of `state_dir`. now: wall seconds.
    """
    aside = _aside(state_dir, now)
    _move_aside(name, state_dir, aside)
    connect(state_dir / name).close()
    sync_folder(state_dir)
    return aside


def check(path: Path) -> None:
    """RefusedError unless `path` is a whole database of ours."""
    if not path.is_file():
        raise RefusedError(f"{path}: there is no such file; a backup is a folder in state_dir/{FOLDER}")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        found = first_damage(connection)
    except sqlite3.DatabaseError as error:
        raise RefusedError(f"{path}: {error}; take another backup") from error
    finally:
        connection.close()
    if owner != APPLICATION_ID:
        raise RefusedError(f"{path}: is no database of Gatherer; take another backup")
    if found:
        raise RefusedError(f"{path}: is damaged ({found}); take another backup")


def _all_copied(backup: Path, state_dir: Path) -> list[Path]:
    """Copy all of the backup's files beside their places, or none."""
    for stray in state_dir.glob(f"*{_COPY}"):
        stray.unlink()
    try:
        return [_copied(backup / name, state_dir) for name in (*DATABASES, *BESIDE) if (backup / name).exists()]
    except OSError as error:
        for stray in state_dir.glob(f"*{_COPY}"):
            stray.unlink()
        raise RefusedError(
            f"{backup}: cannot be copied to {state_dir}: {error.strerror}; nothing was changed"
        ) from error


def _aside(state_dir: Path, now: float) -> Path:
    """Make the folder for what is there now; restoring twice within a second makes two."""
    name = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-before-restore"
    (state_dir / FOLDER).mkdir(mode=0o700, exist_ok=True)
    taken = {path.name for path in (state_dir / FOLDER).iterdir()}
    free = (f"{name}-{number}" if number > 1 else name for number in itertools.count(1))
    aside = state_dir / FOLDER / next(each for each in free if each not in taken)
    aside.mkdir(mode=0o700)
    return aside


def _move_aside(name: str, state_dir: Path, aside: Path) -> None:
    for log in _LOGS:
        _move(state_dir / f"{name}{log}", aside)


def _copied(source: Path, state_dir: Path) -> Path:
    """Copy a file beside its place, for the owner of the state."""
    target = state_dir / f"{source.name}{_COPY}"
    shutil.copyfile(source, target)
    target.chmod(0o600)
    owner = state_dir.stat()
    if os.geteuid() == 0:
        os.chown(target, owner.st_uid, owner.st_gid)
    fd = os.open(target, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return target


def _move(path: Path, folder: Path) -> None:
    if path.exists():
        path.rename(folder / path.name)
