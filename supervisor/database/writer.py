"""The one thread that writes: group commit.

1. wait for a request
2. BEGIN IMMEDIATE; each request in a SAVEPOINT, so that one that fails fails alone
3. COMMIT (one fsync for the whole group), then hand all answers to the event loop at once

A group is the short requests that wait, taken for at most GROUP_FOR_S; after it one bulk request has a transaction
of its own: chunks of 500 rows never stand between a claim and its answer more than once. Apart, because bulk writes
market.db, and a COMMIT over two files may keep the part of the first and fail in the second: a claim that was
answered "failed" would hold. Bulk requests may be repeated, so for them that does no harm.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError
from supervisor.database.failures import is_of_storage

GROUP_FOR_S = 0.015
MAX_QUEUED = 20_000
CHECKPOINT_AFTER_CHANGES = 4000
KEEP_DURATIONS = 4096

Work: TypeAlias = Callable[[sqlite3.Connection, float], Any]
Done: TypeAlias = Callable[[Any, Exception | None], None]


class Lane(Enum):
    """How a request shares the writer. OUTSIDE runs between transactions (migrations, checkpoints)."""

    SHORT = "short"
    BULK = "bulk"
    OUTSIDE = "outside"


@dataclass(slots=True)
class _Request:
    work: Work
    done: Done
    result: Any = None
    error: Exception | None = None


class Writer:
    """Run requests on the writing connection.

    work(connection, now): now is wall seconds, one value for a group. done(result, error) is called on
    the event loop after COMMIT, in order. look(connection) is called in the thread after each group,
    and `committed` on the loop with what it returned, before the answers.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        clock: Clock,
        look: Callable[[sqlite3.Connection], Any],
        committed: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._look = look
        self._committed = committed
        self._failed = failed
        self._lanes: dict[Lane, deque[_Request]] = {lane: deque() for lane in Lane}
        self._bell = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changes_at_checkpoint = connection.total_changes
        # Written by the thread, taken by the loop; deque operations are atomic.
        self._durations: deque[float] = deque(maxlen=KEEP_DURATIONS)
        self.transactions = 0

    def start(self) -> None:
        """Start the thread; answers are delivered on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work, done: Done, lane: Lane = Lane.SHORT) -> None:
        """Queue one request (event loop only). A full queue answers UnavailableError at once."""
        if self._stopping or self.queued >= MAX_QUEUED:
            done(None, UnavailableError("the database has more waiting than it can take"))
            return
        self._lanes[lane].append(_Request(work, done))
        self._bell.set()

    async def do(self, work: Work, lane: Lane = Lane.SHORT) -> Any:
        """Run one request and return its result after COMMIT; raises what it raised."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: Any, error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        self.submit(work, done, lane)
        return await future

    @property
    def queued(self) -> int:
        """Return the requests not yet in a transaction."""
        return sum(len(lane) for lane in self._lanes.values())

    def take_durations(self) -> list[float]:
        """Return the seconds that each transaction since the last call has held the writer."""
        taken = []
        while self._durations:
            taken.append(self._durations.popleft())
        return taken

    async def stop(self) -> None:
        """Answer what is queued, then end the thread; safe when called twice or before start."""
        self._stopping = True
        self._bell.set()
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        while True:
            self._bell.wait()
            self._bell.clear()
            while self.queued:
                try:
                    self._turn()
                except Exception as error:  # top of the thread: whoever waited runs into his deadline, the rest goes on
                    self._tell_failed(error)
            if self._stopping:
                return

    def _turn(self) -> None:
        if self._lanes[Lane.OUTSIDE]:
            self._deliver(self._outside(self._lanes[Lane.OUTSIDE].popleft()))
        for lane, seconds in ((Lane.SHORT, GROUP_FOR_S), (Lane.BULK, 0.0)):
            if self._lanes[lane]:
                started_at = self._clock.monotonic()
                group = self._commit(self._lanes[lane], started_at + seconds)
                self._durations.append(self._clock.monotonic() - started_at)
                self._deliver(group)
        self._checkpoint()

    def _commit(self, lane: deque[_Request], until: float) -> list[_Request]:
        """Commit one request, and what else waits in its lane until then (monotonic seconds)."""
        group = [lane.popleft()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            now = self._clock.wall()
            self._attempt(group[0], now)
            while lane and self._clock.monotonic() < until:
                group.append(lane.popleft())
                self._attempt(group[-1], now)
            self._connection.execute("COMMIT")
            self.transactions += 1
        except Exception as error:  # top of the writer's loop: a lost COMMIT fails the whole group
            self._give_up(group, error)
        return group

    def _attempt(self, request: _Request, now: float) -> None:
        """Run one request in its own SAVEPOINT; its failure is its own, unless SQLite ended the transaction."""
        connection = self._connection
        connection.execute("SAVEPOINT request")
        try:
            request.result = request.work(connection, now)
        except Exception as error:  # top of a request: reported to its sender
            request.error = error
            if not connection.in_transaction:
                raise
            if is_of_storage(error):
                self._tell_failed(error)
            connection.execute("ROLLBACK TO request")
        connection.execute("RELEASE request")

    def _give_up(self, group: list[_Request], error: Exception) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for request in group:
            if request.error is None:
                request.error = UnavailableError(f"the transaction was lost: {error}")
        self._tell_failed(error)

    def _outside(self, request: _Request) -> list[_Request]:
        try:
            request.result = request.work(self._connection, self._clock.wall())
        except Exception as error:  # top of a request: reported to its sender
            request.error = error
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return [request]

    def _deliver(self, group: list[_Request]) -> None:
        assert self._loop is not None
        try:
            seen = self._look(self._connection)
        except sqlite3.Error as error:
            self._tell_failed(error)
            seen = None
        self._loop.call_soon_threadsafe(self._answer, group, seen)

    def _answer(self, group: list[_Request], seen: Any) -> None:
        if seen is not None:
            self._committed(seen)
        for request in group:
            try:
                request.done(request.result, request.error)
            except Exception as error:  # one answer that cannot be given must not keep the others
                self._failed(error)

    def _checkpoint(self) -> None:
        """Move the log into the files after answers have left, in small portions, on this connection only."""
        changes = self._connection.total_changes
        if changes - self._changes_at_checkpoint < CHECKPOINT_AFTER_CHANGES:
            return
        self._changes_at_checkpoint = changes
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            self._tell_failed(error)

    def _tell_failed(self, error: Exception) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._failed, error)
