"""Put a backup in the place of the state, while nobody runs on it.

What is there now is moved to state_dir/backups/…-before-restore, not deleted. The limiter's journal stays: the API
counts on, whatever we restore; only where there is none (a new machine) the backup's is taken.
"""

import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from supervisor.core.errors import RefusedError
from supervisor.database.backup import BESIDE, DATABASES, FOLDER
from supervisor.database.opening import APPLICATION_ID

JOURNAL = "limiter.journal"
_LOGS = ("", "-wal", "-shm")


def restore(backup: Path, state_dir: Path, now: float) -> Path:
    """Put `backup` in place and return the folder with what was there.

    The caller holds the locks of `state_dir`. now: wall seconds. RefusedError: the backup is none, or damaged;
    nothing has been changed then.
    """
    for name in DATABASES:
        check(backup / name)
    aside = state_dir / FOLDER / f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-before-restore"
    aside.mkdir(mode=0o700, parents=True)
    fresh = [_copied(backup / name, state_dir) for name in (*DATABASES, *BESIDE) if (backup / name).exists()]
    for name in DATABASES:
        for log in _LOGS:
            _move(state_dir / f"{name}{log}", aside)
    _move(state_dir / "overrides.toml", aside)
    for path in fresh:
        target = state_dir / path.name.removesuffix(".restoring")
        if target.name == JOURNAL and target.exists():
            path.unlink()
        else:
            path.rename(target)
    return aside


def check(path: Path) -> None:
    """RefusedError unless `path` is a whole database of ours."""
    if not path.is_file():
        raise RefusedError(f"{path}: there is no such file; a backup is a folder in state_dir/{FOLDER}")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise RefusedError(f"{path}: {error}; take another backup") from error
    finally:
        connection.close()
    if owner != APPLICATION_ID or found != "ok":
        raise RefusedError(f"{path}: is damaged or not ours ({found}); take another backup")


def _copied(source: Path, state_dir: Path) -> Path:
    """Copy a file beside its place, for the owner of the state."""
    target = state_dir / f"{source.name}.restoring"
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
