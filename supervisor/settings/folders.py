"""The two folders of a running supervisor, held so that there is only one."""

import errno
import fcntl
import os
from pathlib import Path
from typing import TextIO

from supervisor.core.errors import ConfigurationError, GathererError, RefusedError, UnavailableError
from supervisor.settings.config import Config

LOCK = "supervisor.lock"


def hold(config: Config) -> TextIO:
    """Make state_dir and run_dir, private to our user, and hold state_dir while the result is open.

    RefusedError: another supervisor holds it. ConfigurationError: a folder cannot be made or written to.
    UnavailableError: its disk is full.
    """
    try:
        for folder in (config.state_dir, config.run_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config.run_dir.chmod(0o700)
    except OSError as error:
        raise _unwritable(error) from error
    return hold_state(config.state_dir)


def hold_state(state_dir: Path) -> TextIO:
    """Hold a state folder that exists. Errors as in `hold`."""
    try:
        lock = (state_dir / LOCK).open("a+")
    except OSError as error:
        raise _unwritable(error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise RefusedError(f"{state_dir}: another gatherer runs here (pid {owner}); stop it first") from error
    try:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
    except OSError as error:
        raise _unwritable(error, state_dir) from error
    return lock


def give_to_owner(folder: Path) -> None:
    """Let root prepare the files of a service that runs as another user: give them to the folder's owner."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        for path in (path for path in folder.rglob("*") if path.lstat().st_uid != owner.st_uid):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _unwritable(error: OSError, folder: Path | None = None) -> GathererError:
    text = f"{error.filename or folder}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError(f"{text}; make room on that disk")
    return ConfigurationError([f"{text}; Gatherer needs to write there"])
