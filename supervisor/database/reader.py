"""Read without the writer: a read-only connection with its own thread, in pages, with a limit in time.

A long read holds back the checkpoint, so each one is short or interrupted.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import aiosqlite

from supervisor.core.errors import UnavailableError

READ_FOR_S = 15.0

Row: TypeAlias = dict[str, Any]


class Reader:
    """One read-only connection to gatherer.db with market.db attached; one read at a time.

    read_for_s: a longer read is interrupted.
    """

    def __init__(self, state_dir: Path, read_for_s: float = READ_FOR_S) -> None:
        self._state_dir = state_dir
        self._read_for_s = read_for_s
        self._turn = asyncio.Lock()
        self._connection: aiosqlite.Connection | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open; the files exist."""
        uri = (self._state_dir / "gatherer.db").absolute().as_uri()
        self._connection = await aiosqlite.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
        market = (self._state_dir / "market.db").absolute().as_uri()
        await self._connection.execute("ATTACH ? AS market", (f"{market}?mode=ro",))
        await self._connection.execute("PRAGMA query_only = 1")

    async def rows(self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> list[Row]:
        """Return all rows by column name. UnavailableError when it took too long; sqlite3.Error for bad SQL."""
        names, values = await self.table(sql, parameters)
        return [dict(zip(names, row, strict=True)) for row in values]

    async def table(
        self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] = ()
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return column names and rows. Errors as in `rows`."""
        async with self._turn:
            if self._connection is None:
                raise UnavailableError("the database is not open")
            alarm = asyncio.get_running_loop().call_later(self._read_for_s, self._interrupt)
            try:
                async with self._connection.execute(sql, parameters) as cursor:
                    names = [column[0] for column in cursor.description or ()]
                    return names, [tuple(row) for row in await cursor.fetchall()]
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise UnavailableError(f"the read took longer than {self._read_for_s:g} s") from error
                raise
            finally:
                alarm.cancel()

    async def stop(self) -> None:
        """Close, ending a read in progress; safe when called twice."""
        self._interrupt()
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                await connection.close()

    def _interrupt(self) -> None:
        """End the read in progress. Not by cancelling: that would leave the thread at it, and wait for it."""
        if self._connection is not None and self._turn.locked():
            task = asyncio.ensure_future(self._connection.interrupt())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
