"""Say what a failed request means for its sender: try again, or never."""

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
_PRIMARY_CODE = 0xFF


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed later (disk full, locked), as opposed to bad rows and bad SQL."""
    if isinstance(error, UnavailableError):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and (code & _PRIMARY_CODE) in _PASSING


def describe(error: Exception) -> str:
    """Return one line for people: the error and where it happened."""
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error}{notes}"[:2000]
