"""Delete what is old, at most 500 rows a turn, so that no deletion stands in anybody's way."""

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Any

from supervisor.core.clock import Clock
from supervisor.database.loops import Note
from supervisor.database.statements import Statement, engine_statement
from supervisor.database.workers import Workers
from supervisor.database.writer import Lane, Writer

ROUND_EVERY_S = 60.0
FULL_TURN = 500
# Between full turns, so that a large backlog takes a tenth of the disk and not all of it.
PAUSE_S = 0.05


class Keeper:
    """Run `<name>_retention` for each name under [retention]: the engine's own two, then the packages'."""

    def __init__(self, writer: Writer, workers: Workers, clock: Clock, note: Note) -> None:
        self._writer = writer
        self._workers = workers
        self._clock = clock
        self._note = note
        self._retention_s: dict[str, float] = {}
        self._turns: dict[str, int] = {}
        self._refused: set[str] = set()

    def apply(self, retention_s: dict[str, float]) -> None:
        """Replace the ages."""
        self._retention_s = dict(retention_s)
        self._refused.clear()

    async def run_once(self) -> float:
        """Make one round; return when the next begins."""
        for name, age_s in self._retention_s.items():
            statement = self._find(f"{name}_retention")
            if statement is None:
                self._refuse(name)
                continue
            await self._delete(name, statement, age_s)
        return self._clock.monotonic() + ROUND_EVERY_S

    async def _delete(self, name: str, statement: Statement, age_s: float) -> None:
        while True:
            turn = self._turns[name] = self._turns.get(name, 0) + 1
            row = {"before": self._clock.wall() - age_s, "turn": turn}
            deleted = await self._writer.do(partial(delete_some, statement=statement, row=row), Lane.BULK)
            if deleted < FULL_TURN:
                return
            await self._clock.sleep_until(self._clock.monotonic() + PAUSE_S)

    def _find(self, name: str) -> Statement | None:
        own = engine_statement(name)
        theirs = (package.statements.get(name) for package in self._workers.packages())
        return own or next((statement for statement in theirs if statement), None)

    def _refuse(self, name: str) -> None:
        if name not in self._refused:
            self._refused.add(name)
            self._note("retention_refused", name=name, reason=f"no statement {name}_retention")


def delete_some(connection: sqlite3.Connection, now: float, *, statement: Statement, row: Mapping[str, Any]) -> int:
    """Run one turn; return how many rows it deleted."""
    return statement.run_counted(connection, {"now": now, **row})
