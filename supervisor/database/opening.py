"""Open the files for writing: one process at a time, never something that is not ours.

    state_dir/database.lock  flock, held for life
    state_dir/gatherer.db  queue and results        WAL, synchronous FULL, application_id "GATH"
    state_dir/market.db    auctions                 attached as `market`, the same

Durability: a commit survives a power cut. A transaction that writes to both files is atomic in each but
not across them, so rows of market.db go ahead of the finish, which flips a row in gatherer.db only.
"""

import contextlib
import fcntl
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.database.damage import has_content, look, missing, refusal

APPLICATION_ID = 0x47415448  # "GATH"
CACHED_STATEMENTS = 1024
CACHE_KIB = 32 * 1024
WAL_LIMIT_BYTES = 64 * 1024 * 1024
# The writer checkpoints by itself, after answers have left; this is the net below it.
AUTOCHECKPOINT_PAGES = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The open database. fresh: gatherer.db has just been made. market: its own connection, for migrations."""

    connection: sqlite3.Connection
    market_path: Path
    lock_fd: int
    fresh: bool

    def close(self) -> None:
        """Move the logs into the files and let go."""
        # Without room for that the logs stay, and the next start reads them.
        with contextlib.suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.connection.close()
        os.close(self.lock_fd)


def lock(state_dir: Path) -> int:
    """Take the lock of `state_dir` and return its descriptor. UnavailableError: somebody has it."""
    path = state_dir / "database.lock"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refusal(error, path) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise UnavailableError(
            f"{path} is held by another database process; is Gatherer running on this state?"
        ) from error
    return fd


def open_files(state_dir: Path, lock_fd: int) -> Files:
    """Open both files for writing from any one thread.

    ConfigurationError: one is no database, not ours, damaged, missing although it was there, or cannot be written.
    UnavailableError: there is no room, or somebody locks it. Nothing has been changed then.
    """
    path, market_path = state_dir / "gatherer.db", state_dir / "market.db"
    look(state_dir)
    connection = connect(path)
    try:
        fresh = not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'migrations'").fetchone()[0]
        if not fresh and not has_content(market_path):
            raise missing(market_path, path)
        connect(market_path).close()
    except BaseException:
        connection.close()
        raise
    connection.execute("ATTACH ? AS market", (str(market_path),))
    connection.execute("PRAGMA market.synchronous = FULL")
    connection.execute(f"PRAGMA market.cache_size = -{CACHE_KIB}")
    connection.execute(f"PRAGMA market.journal_size_limit = {WAL_LIMIT_BYTES}")
    return Files(connection=connection, market_path=market_path, lock_fd=lock_fd, fresh=fresh)


def connect(path: Path) -> sqlite3.Connection:
    """Open one file of ours for writing, making it if there is none. ConfigurationError as in open_files."""
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=CACHED_STATEMENTS, timeout=5.0
        )
    except sqlite3.Error as error:
        raise refusal(error, path) from error
    try:
        _must_be_ours(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN IMMEDIATE")  # a file that cannot be written says so now
        connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise refusal(error, path) from error
    except ConfigurationError:
        connection.close()
        raise
    return connection


def _must_be_ours(connection: sqlite3.Connection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise ConfigurationError([f"{path}: is a database of another program; choose another state_dir"])
