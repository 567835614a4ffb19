"""The supervisor's end of one replica's socket: settings and grants out, life signs and permits in."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from supervisor.core.clock import Clock
from supervisor.core.errors import WireError
from supervisor.core.messages.replica_supervisor import (
    Acquire,
    Braked,
    Cancel,
    Configure,
    Drain,
    Drained,
    FromReplica,
    Grant,
    Heartbeat,
    Ready,
    Refuse,
    Release,
    Tally,
)
from supervisor.core.wire import Channel

_OF_PERMITS = (Acquire, Release, Cancel)


class PermitPort(Protocol):
    """What a replica's connection needs of the limiter (`limiter/server.py` has it)."""

    def connect(self, replica: str, worker: str, send: Callable[[Grant | Refuse], None]) -> int:
        """Return a connection number; answers go to `send`."""
        ...

    def receive(self, connection: int, message: Acquire | Cancel | Release, now: float) -> None:
        """Take one message of the replica. now: monotonic seconds, read after it came. WireError: it lies."""
        ...

    def disconnect(self, connection: int) -> None:
        """Take back every permit of the connection."""
        ...

    def stop_starts(self, connection: int) -> None:
        """Grant this connection no permit for new jobs any more."""
        ...


class Connection:
    """One replica's socket, from before it is forked until after it has gone.

    Settings and the drain may be given before the socket is open; they are sent when it is.
    executing: jobs in hand as of the last heartbeat. concurrency: in force there; None = not said yet.
    heard_at: monotonic, last message of any kind. lost_at: monotonic, when the replica's end closed;
    None = open, or not open yet. ready(): called at each Ready. resized(): called when another
    concurrency is in force. broke(why): called when the replica has broken the protocol, which ends the connection.
    """

    def __init__(
        self,
        *,
        replica: str,
        worker: str,
        clock: Clock,
        permits: PermitPort,
        tally: Callable[[Tally], None],
        ready: Callable[[], None],
        resized: Callable[[], None],
        broke: Callable[[str], None],
    ) -> None:
        self.executing = 0
        self.concurrency: int | None = None
        self.heard_at = clock.monotonic()
        self.lost_at: float | None = None
        self._replica = replica
        self._worker = worker
        self._clock = clock
        self._permits = permits
        self._tally = tally
        self._ready = ready
        self._resized = resized
        self._broke = broke
        self._channel: Channel | None = None
        self._number: int | None = None  # at the limiter; None = not connected there
        self._configure: Configure | None = None
        self._braked: Braked | None = None
        self._drain: Drain | None = None
        self._hung_up = asyncio.Event()

    async def open(self, ours: socket.socket) -> None:
        """Talk over `ours`, which belongs to the connection from now on."""
        ours.setblocking(False)
        try:
            await asyncio.get_running_loop().create_unix_connection(self._connected, sock=ours)
        except BaseException:
            ours.close()
            raise
        for message in (self._configure, self._braked, self._drain):
            if message is not None:
                self._send(message)

    def configure(self, message: Configure) -> None:
        """Put `message` in force, unless it is already."""
        if message != self._configure:
            self._configure = message
            self._send(message)

    def brake(self, message: Braked) -> None:
        """Say which endpoints are to be left alone from now on."""
        self._braked = message
        self._send(message)

    def drain(self, deadline: float) -> None:
        """Tell the replica to be done by `deadline` (monotonic); it gets no permit for new jobs any more."""
        self._drain = Drain(deadline)
        self._send(self._drain)

    async def hang_up(self, timeout_s: float) -> None:
        """Read on to the end, at most `timeout_s`: the last releases of a dead replica are still in the socket."""
        if self._channel is not None and not self._hung_up.is_set():
            try:
                await asyncio.wait_for(self._hung_up.wait(), timeout_s)
            except TimeoutError:
                self.close()

    def close(self) -> None:
        """Close our end; the replica exits at once. Safe when called twice."""
        if self._channel is not None:
            self._channel.close()

    def _send(self, message: Configure | Braked | Drain) -> None:
        if self._channel is None:
            return
        if isinstance(message, Drain) and self._number is not None:
            self._permits.stop_starts(self._number)
        self._channel.send(message)

    def _connected(self) -> Channel:
        self._channel = Channel(FromReplica, self._receive, self._closed)
        self._number = self._permits.connect(self._replica, self._worker, self._channel.send)
        return self._channel

    def _receive(self, message: FromReplica) -> None:
        now = self.heard_at = self._clock.monotonic()
        # Not a case of the match: nearly all messages are these, and a class pattern costs three times as much.
        if isinstance(message, _OF_PERMITS):
            if self._number is not None:
                self._permits.receive(self._number, message, now)
            return
        match message:
            case Heartbeat():
                self._alive(message)
            case Ready():
                self._ready()
            case Tally():
                self._tally(message)
            case Drained():
                self.executing = 0

    def _alive(self, message: Heartbeat) -> None:
        self.executing = message.executing
        if message.concurrency >= 0 and message.concurrency != self.concurrency:
            self.concurrency = message.concurrency
            self._resized()

    def _closed(self, error: Exception | None) -> None:
        if self._number is not None:
            self._permits.disconnect(self._number)
            self._number = None
        if isinstance(error, WireError):
            self._broke(str(error))
        self.lost_at = self._clock.monotonic()
        self._hung_up.set()
