"""A replica's life, from fork to exit.

1. load the job module, connect to the database, say Ready
2. slots turn; heartbeats and tallies go out from this same loop, so a hung loop falls silent
3. Drain: slots empty, Drained, exit 0
4. the supervisor's socket closes: exit at once (its successor starts anew)
"""

import asyncio
import importlib
import json
import os
import socket
import sys
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from supervisor.core.clock import Clock, SystemClock
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import (
    Braked,
    Configure,
    Drain,
    Drained,
    Grant,
    Heartbeat,
    Ready,
    Refuse,
    ToReplica,
)
from supervisor.core.messages.supervisor_zygote import Fork
from supervisor.core.wire import Channel
from supervisor.worker.brake import Brakes
from supervisor.worker.claimer import Claimer
from supervisor.worker.client import close_session, open_session
from supervisor.worker.ledger import Ledger
from supervisor.worker.measures import Measures
from supervisor.worker.permits import Permits
from supervisor.worker.runner import Run, Runner
from supervisor.worker.slots import Slots

HEARTBEAT_EVERY_S = 5.0
TALLY_EVERY_S = 1.0
RENEW_EVERY_S = 10.0
EXIT_OK, EXIT_TRY_AGAIN, EXIT_CONFIGURATION = 0, 75, 78


def run_replica(spec: Fork, control_fd: int) -> int:
    """Be the replica that `spec` describes until it is drained; return the exit code."""
    try:
        run = load(spec.module, spec.path)
    except Exception as error:
        _print_event("job_module_failed", {"module": spec.module, "error": f"{type(error).__name__}: {error}"})
        return EXIT_CONFIGURATION
    return uvloop.run(_live(spec, control_fd, run))


def load(module: str, path: str) -> Run:
    """Import the job module (from the extra folder `path`, "" = none) and return its `run`."""
    if path and path not in sys.path:
        sys.path.insert(0, path)
    run: Run = importlib.import_module(module).run
    return run


async def _live(spec: Fork, control_fd: int, run: Run) -> int:
    events = Events()
    events.subscribe(_print_event)
    replica = Replica(spec, run, clock=SystemClock(), events=events, random=Random())
    return await replica.live(socket.socket(fileno=control_fd))


def _print_event(name: str, fields: dict[str, Any]) -> None:
    """Write one JSON line to stderr, which is the supervisor's log pipe."""
    sys.stderr.write(json.dumps({"event": name, **fields}, default=str) + "\n")
    sys.stderr.flush()


class Replica:
    """The parts of one replica, wired."""

    def __init__(self, spec: Fork, run: Run, *, clock: Clock, events: Events, random: Random) -> None:
        self._clock = clock
        self._session = open_session()
        self._measures = Measures()
        self._channel = Channel(ToReplica, self._receive, self._supervisor_closed)
        self._permits = Permits(self._channel.send, clock)
        self._ledger = Ledger(
            socket=spec.database_socket, replica=spec.replica, worker=spec.worker, clock=clock, random=random
        )
        self._claimer = Claimer(self._ledger)
        self._brakes = Brakes()
        self._runner = Runner(
            run=run,
            session=self._session,
            permits=self._permits,
            ledger=self._ledger,
            measures=self._measures,
            clock=clock,
            events=events,
            run_dir=Path(spec.database_socket).parent,
            brakes=self._brakes,
        )
        self._slots = Slots(
            permits=self._permits, claimer=self._claimer, runner=self._runner, clock=clock, random=random
        )
        self._drains: asyncio.Queue[float] = asyncio.Queue()
        self._is_draining = False
        self._is_over = False

    async def live(self, control: socket.socket) -> int:
        """Work until drained."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self._channel, sock=control)
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._ledger.run(), name="ledger"),
                group.create_task(self._claimer.run(), name="claimer"),
                group.create_task(self._heartbeats(), name="heartbeats"),
                group.create_task(self._tallies(), name="tallies"),
                group.create_task(self._renewals(), name="renewals"),
                group.create_task(self._drain_when_asked(), name="drain"),
            ]
            # Ready although the database may be away: claims then wait, and a restart of the database must
            # not look like replicas that cannot start.
            self._channel.send(Ready(os.getpid()))
            await self._slots.run()
            for task in background:
                task.cancel()
        self._send_tally()
        self._channel.send(Drained())
        self._is_over = True
        self._channel.close()
        await close_session(self._session)
        return EXIT_OK

    def _receive(self, message: Any) -> None:
        match message:
            case Grant() | Refuse():
                self._permits.receive(message)
            case Configure():
                if message.api:
                    self._runner.api = message.api
                if not self._is_draining:
                    self._slots.resize(message.concurrency)
                    self._channel.send(self._heartbeat())
            case Braked():
                self._brakes.told(message)
            case Drain():
                self._is_draining = True
                self._drains.put_nowait(message.deadline)

    def _supervisor_closed(self, error: Exception | None) -> None:
        if not self._is_over:
            os._exit(EXIT_TRY_AGAIN)

    async def _drain_when_asked(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                deadline = await self._drains.get()
                group.create_task(self._slots.drain(deadline), name="slots drain")

    async def _heartbeats(self) -> None:
        while True:
            self._channel.send(self._heartbeat())
            await self._clock.sleep_until(self._clock.monotonic() + HEARTBEAT_EVERY_S)

    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(self._slots.executing, self._slots.concurrency)

    async def _tallies(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + TALLY_EVERY_S)
            self._send_tally()

    def _send_tally(self) -> None:
        tally = self._measures.take()
        if tally is not None:
            self._channel.send(tally)

    async def _renewals(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + RENEW_EVERY_S)
            self._ledger.renew()
