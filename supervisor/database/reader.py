"""Read without the writer: a read-only connection with its own thread, in pages, with a limit in time.

A long read holds back the checkpoint, so each one is short or interrupted.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import aiosqlite

from supervisor.core.errors import UnavailableError

READ_FOR_S = 15.0

Row: TypeAlias = dict[str, Any]


class Reader:
    """One read-only connection to gatherer.db with market.db attached."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._connection: aiosqlite.Connection | None = None

    async def start(self) -> None:
        """Open; the files exist."""
        uri = (self._state_dir / "gatherer.db").absolute().as_uri()
        self._connection = await aiosqlite.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
        market = (self._state_dir / "market.db").absolute().as_uri()
        await self._connection.execute("ATTACH ? AS market", (f"{market}?mode=ro",))
        await self._connection.execute("PRAGMA query_only = 1")

    async def rows(self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> list[Row]:
        """Return all rows by column name. UnavailableError after READ_FOR_S; sqlite3.Error for bad SQL."""
        names, values = await self.table(sql, parameters)
        return [dict(zip(names, row, strict=True)) for row in values]

    async def table(
        self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] = ()
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return column names and rows."""
        connection = self._connection
        if connection is None:
            raise UnavailableError("the database is not open")
        try:
            async with asyncio.timeout(READ_FOR_S), connection.execute(sql, parameters) as cursor:
                names = [column[0] for column in cursor.description or ()]
                return names, [tuple(row) for row in await cursor.fetchall()]
        except TimeoutError as error:
            await connection.interrupt()
            raise UnavailableError(f"the read took longer than {READ_FOR_S:g} s") from error

    async def stop(self) -> None:
        """Close; safe when called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(ValueError):  # aiosqlite: the thread has ended already
                await connection.close()
