"""The question for a backup: taken here, because only this process knows when no transaction is open."""

import asyncio
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from supervisor.core.clock import Clock
from supervisor.core.errors import RefusedError
from supervisor.database import backup
from supervisor.database.questions import Answer, Handler, Params
from supervisor.database.writer import Lane, Writer


class BackupQuestions:
    """Handler for backup; one at a time."""

    def __init__(self, writer: Writer, state_dir: Path, clock: Clock) -> None:
        self._writer = writer
        self._state_dir = state_dir
        self._clock = clock
        self._one = asyncio.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods of this part."""
        return {"backup": self.back_up}

    async def back_up(self, params: Params, body: bytes) -> Answer:
        """Return {"folder", "bytes"} of a new backup."""
        async with self._one:
            pinned = await self._writer.do(lambda connection, now: backup.pin(self._state_dir), Lane.OUTSIDE)
            try:
                folder = await asyncio.to_thread(backup.copy, pinned, self._state_dir, self._clock.wall())
            except (OSError, sqlite3.Error) as error:
                free = shutil.disk_usage(self._state_dir).free
                raise RefusedError(f"no backup was made: {error} ({free:,} bytes are free)") from error
        size = sum(path.stat().st_size for path in folder.iterdir())
        return Answer(body={"folder": str(folder), "bytes": size})
