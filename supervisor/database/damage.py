"""What is wrong with a file before anything is written to it, and what an operator should do then.

Looked at in every start, because it costs nothing: the header of each file, its schema, the header of its log, and that
neither is missing while the other, or a backup, shows that it was there. A damaged page further in is found when it is
first touched, by a backup, or by `gatherer restore` (it checks all pages); looking at all of them in every start would
keep the queue waiting for minutes after each crash.
"""

import errno
import os
import shutil
import sqlite3
import struct
import threading
from pathlib import Path

from supervisor.core.errors import ConfigurationError, GathererError, UnavailableError
from supervisor.database.failures import is_damaged, is_full, is_unwritable

DATABASES = ("gatherer.db", "market.db")
# Less than this and even a lock file or the index of a log may not find room.
ROOM_BYTES = 1024 * 1024
FIND_WITHIN_S = 3.0
_WAL_HEADER = struct.Struct(">8I")
_WAL_MAGIC = 0x377F0682
_MAGIC = b"SQLite format 3\0"
_ALL = 2**31 - 1
_FALSE_ALARM = "NULL value in "
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class NoRoomError(UnavailableError):
    """Say that the disk is full."""


def advice(name: str) -> str:
    """Return what to do about the file `name`."""
    return (
        f"nothing has been changed. With Gatherer stopped, `gatherer restore BACKUP` puts a backup in place, and"
        f" `gatherer restore --empty {name}` moves {name} aside and begins without it"
    )


def refusal(error: Exception, path: Path) -> GathererError:
    """Return what a failed opening or writing of `path` means for a start."""
    if is_damaged(error):
        return ConfigurationError([f"{path}: damaged, or not a database ({error}); {advice(path.name)}"])
    if is_full(error) or (_may_be_room(error) and not has_room(path.parent)):
        free = shutil.disk_usage(path.parent).free
        return NoRoomError(f"{path}: no room is left on its disk ({free:,} bytes free); make room")
    if getattr(error, "errno", None) in _NOT_ALLOWED or is_unwritable(error):
        return ConfigurationError(
            [f"{path}: cannot be written ({error}); look at the owner of its folder and whether its disk is read-only"]
        )
    return UnavailableError(f"{path}: {error}")


def has_room(folder: Path, needed_bytes: int = ROOM_BYTES) -> bool:
    """Tell whether so much, or anything at all, can be written."""
    found = os.statvfs(folder)
    # f_files is 0 where inodes are not counted.
    return found.f_bavail * found.f_frsize >= needed_bytes and (found.f_favail > 0 or found.f_files == 0)


def look(state_dir: Path) -> None:
    """Read what costs nothing to read. ConfigurationError: a file is missing that was there, or is no database."""
    check_presence(state_dir)
    for name in DATABASES:
        check_head(state_dir / name)
        check_log(state_dir / name)


def check_head(path: Path) -> None:
    """ConfigurationError: the file does not begin as a database."""
    if has_content(path) and _head_of(path, len(_MAGIC)) != _MAGIC:
        raise ConfigurationError([f"{path}: damaged, or not a database (its first bytes); {advice(path.name)}"])


def check_log(path: Path) -> None:
    """ConfigurationError: the log of the database `path` does not begin as one; SQLite would take it for empty.

    A log that was never written, or lost its first write in a power cut, is empty or zeros, and that is in order.
    """
    log = path.with_name(path.name + "-wal")
    head = _head_of(log, _WAL_HEADER.size) if log.exists() else b""
    if any(head) and not _is_wal(head):
        raise ConfigurationError(
            [f"{log}: damaged: what was committed last stood in it, and SQLite would ignore it; {advice(path.name)}"]
        )


def check_presence(state_dir: Path) -> None:
    """ConfigurationError: gatherer.db is missing or empty although something shows that there was one."""
    path = state_dir / "gatherer.db"
    if has_content(path):
        return
    for evidence in (state_dir / "market.db", state_dir / "gatherer.db-wal", *_backups(state_dir)):
        if has_content(evidence):
            raise missing(path, evidence)


def missing(path: Path, evidence: Path) -> ConfigurationError:
    """Return the refusal to make `path` anew."""
    what = "empty" if path.exists() else "missing"
    return ConfigurationError([f"{path}: {what}, although {evidence} shows that it was there; {advice(path.name)}"])


def first_damage(connection: sqlite3.Connection) -> str:
    """Read all pages of the connection's main file; return what is wrong first, "" = nothing. May raise DatabaseError.

    Row by row, because SQLite 3.40 (Debian 12) says of each row of a table WITHOUT ROWID that a value is NULL which is
    not: that is no damage of the file, and must not hide one.
    """
    for (found,) in connection.execute(f"PRAGMA quick_check({_ALL})"):
        if found != "ok" and not found.startswith(_FALSE_ALARM):
            return str(found)
    return ""


def find_damaged(state_dir: Path) -> list[str]:
    """Return the names of the files in which damage is found within FIND_WITHIN_S. Blocks."""
    return [name for name in DATABASES if _is_damaged(state_dir / name)]


def has_content(path: Path) -> bool:
    """Tell whether the file is there and not empty."""
    return path.exists() and path.stat().st_size > 0


def _head_of(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise refusal(error, path) from error


def _backups(state_dir: Path) -> list[Path]:
    return sorted((state_dir / "backups").glob("2*Z*/gatherer.db"), reverse=True)


def _is_wal(head: bytes) -> bool:
    if len(head) < _WAL_HEADER.size:
        return False
    words = _WAL_HEADER.unpack(head)
    if words[0] & ~1 != _WAL_MAGIC:
        return False
    # The checksum's words are of the byte order that the last bit of the magic names.
    order = ">" if words[0] & 1 else "<"
    first = second = 0
    for one, two in struct.iter_unpack(f"{order}2I", head[:24]):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return (first, second) == words[6:8]


def _is_damaged(path: Path) -> bool:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    except sqlite3.Error:
        return False
    alarm = threading.Timer(FIND_WITHIN_S, connection.interrupt)
    alarm.start()
    try:
        return bool(first_damage(connection))
    except sqlite3.DatabaseError as error:
        return is_damaged(error)
    finally:
        alarm.cancel()
        alarm.join()
        connection.close()


def _may_be_room(error: Exception) -> bool:
    """Tell whether a full disk may be behind it: an index of a log that cannot grow is reported as an I/O error."""
    return is_unwritable(error) or isinstance(error, OSError)
