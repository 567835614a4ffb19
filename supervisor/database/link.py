"""The supervisor's face of the database: talk to its process, and outlive its restarts (`lifeline.py`).

Leases of living replicas survive a restart. A replica's exit is repeated until the database has said that
it is settled, always before replicas can talk to the new process.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec

from supervisor.core.calls import Calls
from supervisor.core.clock import Clock
from supervisor.core.errors import ConfigurationError, UnavailableError, WireError
from supervisor.core.events import Events
from supervisor.core.messages.base import Message
from supervisor.core.messages.supervisor_database import (
    Census,
    DatabaseReady,
    DatabaseSettings,
    Noted,
    Pulse,
    Question,
    ReplicaExited,
    Reply,
    Stop,
    StopSchedules,
    Waiting,
)
from supervisor.database.child import Child
from supervisor.database.exits import LEASES_ENDED
from supervisor.database.lifeline import READY_WITHIN_S, Lifeline
from supervisor.database.statistics import DatabaseStatistics

REFUSED = "database_refused"


class Database:
    """The link. One event loop, on the main thread: the process dies with the thread that started it."""

    def __init__(
        self, *, state_dir: Path, run_dir: Path, clock: Clock, events: Events, random: Random,
        settings: DatabaseSettings, on_waiting: Callable[[Waiting], None], on_pulse: Callable[[Pulse], None],
    ) -> None:  # fmt: skip  # one line a name would be a page
        self._state_dir = state_dir
        self._run_dir = run_dir
        self._clock = clock
        self._events = events
        self._settings = settings
        self._on_waiting = on_waiting
        self._on_pulse = on_pulse
        self._supervisor = f"{os.getpid()}-{clock.wall():.3f}-{random.getrandbits(64):016x}"
        self._life = Lifeline(
            launch=self._launch, greet=self._greet, lost=self._lost, clock=clock, events=events, random=random
        )
        self._running: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._calls = Calls()
        self._exits: list[ReplicaExited] = []
        self._schedules_stopped = False
        self._sqlite = ""
        self._pulse: Pulse | None = None
        self._waiting: Waiting | None = None
        self._census: Census | None = None

    async def start(self) -> None:
        """Start the process and return when it is ready; safe when called twice.

        ConfigurationError: its files or packages cannot be used. UnavailableError: the state is locked
        by another process, or it is not ready within READY_WITHIN_S.
        """
        if self._running is not None:
            return
        self._running = asyncio.get_running_loop().create_task(self._life.run(), name="database lifeline")
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait([ready, self._running], timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._running.done():
            await self._running
        if not self._ready.is_set():
            reason = self._life.reason
            await self.stop(self._clock.monotonic())
            raise UnavailableError(f"the database is not ready after {READY_WITHIN_S:g} s ({reason})")

    def apply(self, settings: DatabaseSettings) -> None:
        """Put settings in force, now or as soon as the process is there; a refused process is tried again."""
        self._settings = settings
        self._send(settings)
        self._life.try_again()

    def replica_exited(self, replica: str, crashed: bool, status: str) -> None:
        """Have the replica's leases ended; repeated until that is committed."""
        exited = ReplicaExited(replica, crashed, status)
        self._exits.append(exited)
        self._send(exited)

    async def ask(
        self, method: str, params: dict[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> tuple[int, bytes]:
        """Return (HTTP status, JSON) of a question.

        A database that is away is waited for, then the answer is 503; 504 when none came in time (it may
        have been done), 413 for a body that is larger than a frame.
        """
        deadline = self._clock.monotonic() + timeout_s
        try:
            await asyncio.wait_for(self._ready.wait(), timeout_s)
        except TimeoutError:
            return _problem(503, "not now", f"the database is {self._life.state} ({self._life.reason})")
        try:
            left_s = max(0.0, deadline - self._clock.monotonic())
            reply = await self._calls.ask(lambda call: self._send(Question(call, method, params, body)), left_s)
        except WireError as error:
            return _problem(413, "too large", str(error))
        except UnavailableError as error:
            return _problem(504, "no answer", str(error))
        return reply.status, reply.body

    def stop_schedules(self) -> None:
        """Enqueue nothing by schedule or freshness from now on."""
        self._schedules_stopped = True
        self._send(StopSchedules())

    async def stop(self, deadline: float) -> None:
        """Stop the process: finish the group in hand, checkpoint, exit; killed at `deadline` (monotonic seconds)."""
        self._life.stop()
        if self._running is None:
            return
        self._send(Stop())
        patience = asyncio.ensure_future(self._clock.sleep_until(deadline))
        await asyncio.wait([self._running, patience], return_when=asyncio.FIRST_COMPLETED)
        patience.cancel()
        if self._life.child is not None:
            self._life.child.kill()
        with contextlib.suppress(ConfigurationError, UnavailableError):
            await self._running
        self._life.state, self._life.reason = "stopped", ""

    def statistics(self) -> DatabaseStatistics:
        """Return how it goes."""
        return DatabaseStatistics(
            state=self._life.state,
            reason=self._life.reason,
            pid=self._life.child.pid if self._life.child else None,
            sqlite=self._sqlite,
            restarts=self._life.restarts.total,
            pulse=self._pulse,
            waiting=self._waiting,
            census=self._census,
            unsettled_exits=len(self._exits),
        )

    def _launch(self) -> Child:
        return Child(
            state_dir=self._state_dir, run_dir=self._run_dir, supervisor=self._supervisor, receive=self._receive
        )

    def _greet(self, child: Child) -> None:
        for exited in self._exits:
            child.send(exited)
        child.send(self._settings)

    def _lost(self) -> None:
        """Note that nobody answers: pending questions fail, nothing can be claimed."""
        self._ready.clear()
        self._calls.fail_all(UnavailableError("the database ended before it answered"))
        self._take_waiting(Waiting({worker.name: [0, 0, 0] for worker in self._settings.workers}))

    def _receive(self, message: Message) -> None:
        match message:
            case Reply():
                self._calls.resolve(message.call, message)
            case Waiting():
                self._take_waiting(message)
            case Pulse():
                self._life.heard()
                self._pulse = message
                self._on_pulse(message)
            case Census():
                self._census = message
            case Noted():
                self._noted(message)
            case DatabaseReady():
                self._take_ready(message)

    def _take_ready(self, message: DatabaseReady) -> None:
        self._life.ready()
        self._sqlite = message.sqlite
        if self._schedules_stopped:
            self._send(StopSchedules())
        self._ready.set()
        self._events.emit("database_ready", pid=message.pid, sqlite=message.sqlite, fresh=message.fresh)

    def _take_waiting(self, message: Waiting) -> None:
        self._waiting = message
        self._on_waiting(message)

    def _noted(self, message: Noted) -> None:
        if message.event == REFUSED:
            self._life.refused(str(message.fields.get("reason", "")), bool(message.fields.get("for_room")))
        if message.event == LEASES_ENDED:
            self._settle(str(message.fields.get("replica", "")))
        self._events.emit(message.event, **message.fields)

    def _settle(self, replica: str) -> None:
        settled = next((exited for exited in self._exits if exited.replica == replica), None)
        if settled is not None:
            self._exits.remove(settled)

    def _send(self, message: Message) -> None:
        if self._life.child is not None:
            self._life.child.send(message)


def _problem(status: int, title: str, detail: str) -> tuple[int, bytes]:
    return status, msgspec.json.encode({"title": title, "status": status, "detail": detail})
