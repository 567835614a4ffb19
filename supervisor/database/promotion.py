"""Make scheduled and retryable jobs available when their time has come, and expire what nobody needs any more."""

import sqlite3

from supervisor.core.clock import Clock
from supervisor.database.statements import engine_sql
from supervisor.database.writer import Lane, Writer

ROWS_A_TURN = 500
# The longest wait between looks: deadlines are looked at no more often, and the wall clock may jump.
LOOK_EVERY_S = 5.0

_PROMOTE = engine_sql("promote")
_EXPIRE = engine_sql("expire")


class Promoter:
    """Promote at the next run_at, which the writer tells after each group."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._next_due: float | None = None

    def due_at(self, next_due: float | None) -> bool:
        """Take the earliest run_at (wall seconds); tell whether it is earlier than known."""
        sooner = next_due is not None and (self._next_due is None or next_due < self._next_due)
        self._next_due = next_due
        return sooner

    async def run_once(self) -> float:
        """Promote and expire what is due; return when the next may be."""
        while await self._writer.do(promote_some, Lane.BULK) >= ROWS_A_TURN:
            pass
        while await self._writer.do(expire_some, Lane.BULK) >= ROWS_A_TURN:
            pass
        wait_s = LOOK_EVERY_S
        if self._next_due is not None:
            wait_s = min(LOOK_EVERY_S, max(0.0, self._next_due - self._clock.wall()))
        return self._clock.monotonic() + wait_s


def promote_some(connection: sqlite3.Connection, now: float) -> int:
    """Promote at most ROWS_A_TURN jobs whose time has come."""
    return connection.execute(_PROMOTE, {"now": now, "limit": ROWS_A_TURN}).rowcount


def expire_some(connection: sqlite3.Connection, now: float) -> int:
    """Discard at most ROWS_A_TURN waiting jobs whose deadline has passed."""
    return connection.execute(_EXPIRE, {"now": now, "limit": ROWS_A_TURN}).rowcount
