"""Say what a failed request means for its sender (try again, or never), and for the files."""

import errno
import sqlite3

from supervisor.core.errors import UnavailableError

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY_CODE = 0xFF


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed later (disk full, locked), as opposed to bad rows and bad SQL."""
    if isinstance(error, UnavailableError):
        return True
    return _code(error) in _PASSING


def is_full(error: Exception) -> bool:
    """Tell whether the disk has no room (or the owner's quota is spent)."""
    return _code(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)


def is_unwritable(error: Exception) -> bool:
    """Tell whether the file or its file system does not take what is written."""
    return _code(error) in _UNWRITABLE


def is_damaged(error: Exception) -> bool:
    """Tell whether a file does not hold what SQLite wrote."""
    return _code(error) in _DAMAGED


def is_of_storage(error: Exception) -> bool:
    """Tell whether the disk or a file is what failed, as opposed to the request."""
    return is_full(error) or is_unwritable(error) or is_damaged(error)


def describe(error: Exception) -> str:
    """Return one line for people: the error and where it happened."""
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error}{notes}"[:2000]


def _code(error: Exception) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return code & _PRIMARY_CODE if isinstance(code, int) else None
