"""Once a second: say that we are alive, and how it goes."""

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial

from supervisor.core.clock import Clock
from supervisor.core.messages.supervisor_database import Pulse
from supervisor.database.disk import DiskWatch
from supervisor.database.loops import Note
from supervisor.database.sessions import Desk
from supervisor.database.statements import engine_sql
from supervisor.database.trouble import Trouble
from supervisor.database.waiting import PRIORITIES, Counts
from supervisor.database.workers import Workers
from supervisor.database.writer import Writer

PULSE_EVERY_S = 1.0
# A transaction that holds the writer longer than this is worth a line in the log.
SLOW_TRANSACTION_S = 0.25

_OLDEST = engine_sql("oldest_waiting")


class Pulser:
    """Send a Pulse a second, and what was counted since the last one."""

    def __init__(
        self, *, writer: Writer, workers: Workers, counts: Counts, disk: DiskWatch, trouble: Trouble,
        desk: Desk, clock: Clock, send: Callable[[Pulse], None], note: Note,
    ) -> None:  # fmt: skip  # one line a name would be a page
        self._writer = writer
        self._workers = workers
        self._counts = counts
        self._disk = disk
        self._trouble = trouble
        self._desk = desk
        self._clock = clock
        self._send = send
        self._note = note
        self._oldest_s: dict[str, float] = {}
        self._is_asking = False

    async def run_once(self) -> float:
        """Send one; return when the next is due. Never waits for the writer: a busy disk is no sign of death."""
        self._ask_oldest()
        durations = sorted(self._writer.take_durations())
        self._send(
            Pulse(
                counts=self._counts.by_worker(),
                oldest_s=self._oldest_s,
                commit_p99_s=durations[int(len(durations) * 0.99)] if durations else 0.0,
                queued=self._writer.queued,
                transactions=self._writer.transactions,
                free_bytes=self._disk.free_bytes,
                min_free_bytes=self._disk.min_free_bytes,
                bulk_stopped=self._disk.bulk_stopped,
                background_stopped=self._disk.background_stopped,
                trouble=self._trouble.text,
                stopped=[worker for worker in self._workers.configured if not self._desk.has_room(worker)],
            )
        )
        if durations and durations[-1] > SLOW_TRANSACTION_S:
            self._note("transaction_slow", seconds=round(durations[-1], 3))
        for worker in list(self._desk.dropped):
            self._note("follow_ups_dropped", worker=worker, count=self._desk.dropped.pop(worker))
        return self._clock.monotonic() + PULSE_EVERY_S

    def _ask_oldest(self) -> None:
        if self._is_asking:
            return
        self._is_asking = True
        waiting = [worker for worker in self._workers.configured if self._counts.total(worker, "available")]
        self._writer.submit(partial(oldest_s, workers=waiting), self._take_oldest)

    def _take_oldest(self, found: dict[str, float] | None, error: Exception | None) -> None:
        self._is_asking = False
        if found is not None:
            self._oldest_s = found


def oldest_s(connection: sqlite3.Connection, now: float, *, workers: Iterable[str]) -> dict[str, float]:
    """Return the age of the oldest claimable job by worker; a worker without one is left out."""
    ages: dict[str, float] = {}
    for worker in workers:
        moments = [
            row[0]
            for priority in range(PRIORITIES)
            for suspect in (0, 1)
            for row in connection.execute(_OLDEST, {"worker": worker, "suspect": suspect, "priority": priority})
        ]
        if moments:
            ages[worker] = max(0.0, now - min(moments))
    return ages
