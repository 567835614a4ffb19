"""The two folders of a running supervisor: ours alone, and held so that there is only one."""

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import TextIO

from supervisor.core.errors import ConfigurationError, GathererError, RefusedError, UnavailableError
from supervisor.settings.config import Config

LOCK = "supervisor.lock"


def hold(config: Config) -> TextIO:
    """Make state_dir and run_dir, private to our user, and hold state_dir while the result is open.

    RefusedError: another supervisor holds it. ConfigurationError: a folder cannot be made or written to, or others
    could put things into it. UnavailableError: its disk is full.
    """
    os.umask(0o077)  # for every process: what is written here is nobody else's business
    try:
        for folder in (config.state_dir, config.run_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _must_be_ours(folder)
        _close_to_others(config.state_dir, 0o007)
        _close_to_others(config.run_dir, 0o077)
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


def _must_be_ours(folder: Path) -> None:
    """ConfigurationError unless nobody else can put files into `folder`, or another folder in its place."""
    us = os.geteuid()
    owner = folder.lstat().st_uid
    if folder.is_symlink() and owner not in (us, 0):
        raise ConfigurationError([f"{folder} is a link that user {owner} made: take another folder"])
    real = folder.resolve()
    owner = real.stat().st_uid
    if us not in (owner, 0):
        raise ConfigurationError([f"{folder} belongs to user {owner}: take another folder, or run as that user"])
    if real.stat().st_mode & stat.S_IWOTH:
        raise ConfigurationError([f"every user can write to {folder}: take a folder of its own, or chmod o-w {folder}"])
    for parent in real.parents:
        if parent.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
            raise ConfigurationError([f"every user can replace {folder}: chmod o-w {parent}"])


def _close_to_others(folder: Path, bits: int) -> None:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & bits:
        folder.chmod(mode & ~bits)


def _unwritable(error: OSError, folder: Path | None = None) -> GathererError:
    text = f"{error.filename or folder}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError(f"{text}; make room on that disk")
    return ConfigurationError([f"{text}; Gatherer needs to write there"])
