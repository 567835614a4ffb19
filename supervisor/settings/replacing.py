"""Replace a file that people edit too: whole or not at all, and never over an edit that we have not seen.

1. read it, let `change` make the new text, let `check` judge that
2. write the new text beside it, with the mode and the owner of the old one, and bring it to the disk
3. look whether it still is what was read in 1; if not, start again
4. rename

A link is followed, so it stays a link. Blocking: call it in a thread.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from supervisor.core.errors import RefusedError
from supervisor.settings.durable import sync_folder

TRIES = 5


def replace(path: Path, change: Callable[[str], str], check: Callable[[bytes], object]) -> bool:
    """Put change(text) in the place of the text of `path`; False when that is the same.

    RefusedError: the file may not be written (with what to do), or is edited faster than we can. What
    `change` and `check` raise passes through. In all these cases the file is as it was.
    """
    for _ in range(TRIES):
        target = Path(os.path.realpath(path))
        try:
            before = target.read_bytes()
            fresh = change(before.decode()).encode()
            if fresh == before:
                return False
            check(fresh)
            if _put(target, before, fresh, path):
                return True
        except OSError as error:
            raise _refusal(path, target, error) from error
    raise RefusedError(f"{path} is being edited by somebody else at this moment; nothing was changed, try again")


def _put(target: Path, before: bytes, fresh: bytes, path: Path) -> bool:
    """Return whether `fresh` is in place; False: somebody was quicker."""
    _check_writable(target)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".new")
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - an open descriptor, not a path
            file.write(fresh)
            _look_alike(target, Path(name))
            file.flush()
            os.fsync(handle)
        if Path(os.path.realpath(path)) != target or _hash(target.read_bytes()) != _hash(before):
            return False
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_folder(target.parent)
    return True


def _check_writable(target: Path) -> None:
    """OSError unless the file may be written: otherwise it is not ours to replace either, even for root."""
    if not target.stat().st_mode & 0o222:
        raise PermissionError(errno.EACCES, "it is read-only for everybody")
    os.close(os.open(target, os.O_WRONLY))


def _look_alike(old: Path, new: Path) -> None:
    """Give `new` the owner, the mode and the access list of `old`. PermissionError: they are not ours to give."""
    seen, own = old.stat(), new.stat()
    if (seen.st_uid, seen.st_gid) != (own.st_uid, own.st_gid):
        os.chown(new, seen.st_uid, seen.st_gid)
    shutil.copystat(old, new)
    os.utime(new)


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _refusal(path: Path, target: Path, error: OSError) -> RefusedError:
    if isinstance(error, FileNotFoundError):
        return RefusedError(f"{path} is not there any more; nothing was changed")
    where = str(path) if target == path.absolute() else f"{path} (really {target})"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RefusedError(f"{where} cannot be replaced: {error.strerror}. Nothing was changed; make room on its disk")
    return RefusedError(
        f"{where} cannot be replaced: {error.strerror}. Nothing was changed. Either let Gatherer write the file and"
        f' its folder (under systemd: ReadWritePaths={target.parent}), or set [server] edits = "overrides",'
        " which keeps such changes in state_dir"
    )
