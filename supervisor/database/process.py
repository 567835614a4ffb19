"""The database process: `gatherer --child database --control-fd N …`.

1. die with the parent; ignore the terminal's signals, the supervisor says when to stop
2. wait for DatabaseSettings on the control socket; exits that come before it are settled before anybody can claim
3. serve until Stop (exit 0) or until the supervisor's socket ends (`os._exit`, at once)

Exit codes: 0 stopped, 75 the state is locked, 78 files or packages that cannot be used; before the last two
the reason goes to the supervisor as Noted(REFUSED).
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from supervisor.core.clock import SystemClock
from supervisor.core.errors import ConfigurationError, GathererError, UnavailableError
from supervisor.core.messages.base import Message
from supervisor.core.messages.supervisor_database import (
    DatabaseSettings,
    Noted,
    ReplicaExited,
    Stop,
    SupervisorToDatabase,
)
from supervisor.core.program import die_with_parent
from supervisor.core.wire import Channel
from supervisor.database.damage import NoRoomError, refusal
from supervisor.database.service import Service

REFUSED = "database_refused"


class Control:
    """The supervisor's socket: keeps what arrives before the service is ready for it."""

    def __init__(self) -> None:
        self.channel = Channel(SupervisorToDatabase, self._receive, self._closed)
        self.service: Service | None = None
        self.settings: asyncio.Future[DatabaseSettings] = asyncio.get_running_loop().create_future()
        self.exits: list[ReplicaExited] = []
        self.stop = asyncio.Event()
        self._early: list[Message] = []

    def attach(self, service: Service) -> None:
        """Hand on what comes from now on, and what has come meanwhile."""
        self.service = service
        for message in self._early:
            service.receive(message)
        self._early.clear()

    def _receive(self, message: Message) -> None:
        if isinstance(message, Stop):
            self.stop.set()
        elif self.service is not None:
            self.service.receive(message)
        elif isinstance(message, DatabaseSettings) and not self.settings.done():
            self.settings.set_result(message)
        elif isinstance(message, ReplicaExited) and not self.settings.done():
            self.exits.append(message)
        else:
            self._early.append(message)

    def _closed(self, error: Exception | None) -> None:
        """End with the supervisor: what is committed is safe, what is not was promised to nobody."""
        if not self.stop.is_set():
            os._exit(1)


async def serve(arguments: argparse.Namespace) -> int:
    """Run the database until the supervisor says Stop; return the exit code."""
    control = Control()
    connection = socket.socket(fileno=arguments.control_fd)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: control.channel, connection)
    service = Service(
        state_dir=arguments.state_dir,
        run_dir=arguments.run_dir,
        clock=SystemClock(),
        random=Random(),
        supervisor=arguments.supervisor,
        pid=os.getpid(),
        send=control.channel.send,
    )
    try:
        await _run(service, control)
    except (GathererError, sqlite3.Error, OSError) as raised:
        error = raised if isinstance(raised, GathererError) else refusal(raised, arguments.state_dir / "gatherer.db")
        control.channel.send(
            Noted(
                REFUSED,
                {"reason": str(error), "exit_code": error.exit_code, "for_room": isinstance(error, NoRoomError)},
            )
        )
        return error.exit_code if isinstance(error, ConfigurationError | UnavailableError) else 70
    finally:
        control.stop.set()
        await service.stop()
        control.channel.close()
    return 0


async def _run(service: Service, control: Control) -> None:
    await service.start(await control.settings, control.exits)
    control.attach(service)
    loops = asyncio.get_running_loop().create_task(service.run(), name="loops")
    stopped = asyncio.get_running_loop().create_task(control.stop.wait(), name="stopped")
    any_end: list[asyncio.Future[Any]] = [loops, stopped, service.broken]
    await asyncio.wait(any_end, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    loops.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loops
    if service.broken.done():
        raise service.broken.result()


def main(argv: list[str] | None = None) -> int:
    """Be the database process."""
    parser = argparse.ArgumentParser(
        prog="database", description="Gatherer's database process; started by gatherer run."
    )
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True, help="pid of the supervisor")
    parser.add_argument("--supervisor", required=True, help="name of this run of the supervisor")
    arguments = parser.parse_args(argv)
    die_with_parent(arguments.parent)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    code: Any = uvloop.run(serve(arguments))
    if code:
        # Without closing what was left open: SQLite would move the log into a file that may be damaged.
        os._exit(code)
    return 0
