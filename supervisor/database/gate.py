"""Who may be connected to the database's socket: so many at once, each under one name, named soon.

Whoever runs as our user can open the socket, and no check here could keep him from worse (SECURITY.md). But a program
that goes wrong, or an old replica that lives on, must not take the writer's memory or end another one's leases.
"""

import asyncio

from supervisor.core.clock import Clock
from supervisor.core.errors import WireError
from supervisor.core.messages.replica_database import Hello
from supervisor.core.wire import Channel
from supervisor.database.loops import Note

MAX_CONNECTIONS = 1024
HELLO_WITHIN_S = 5.0
TOLD_EVERY_S = 10.0


class Gate:
    """The open connections and their names. Event loop only."""

    def __init__(self, clock: Clock, note: Note) -> None:
        self._clock = clock
        self._note = note
        self._names: dict[Channel, str] = {}
        self._untold = 0
        self._told_at = -TOLD_EVERY_S

    def enter(self, channel: Channel) -> None:
        """Take a new connection; it is ended when there are too many, or when it does not name itself."""
        if len(self._names) >= MAX_CONNECTIONS:
            channel.break_off(WireError(f"there are {MAX_CONNECTIONS} connections already"))
        self._names[channel] = ""
        asyncio.get_running_loop().call_later(HELLO_WITHIN_S, self._must_be_named, channel)

    def name(self, channel: Channel, hello: Hello) -> None:
        """Take a connection's name. WireError: it has one, somebody else has it, or it does not fit the worker."""
        if self._names.get(channel):
            raise WireError(f"says hello twice: it is {self._names[channel]}")
        if not hello.worker or hello.replica.rpartition("#")[0] != hello.worker:
            raise WireError(f"calls itself {hello.replica[:80]!r} of worker {hello.worker[:80]!r}")
        if hello.replica in self._names.values():
            raise WireError(f"calls itself {hello.replica[:80]!r}, who is connected already")
        self._names[channel] = hello.replica

    def leave(self, channel: Channel, error: Exception | None) -> None:
        """Forget a connection; tell why, when it broke the protocol, at most every TOLD_EVERY_S."""
        name = self._names.pop(channel, "")
        if not isinstance(error, WireError):
            return
        self._untold += 1
        now = self._clock.monotonic()
        if now - self._told_at >= TOLD_EVERY_S:
            self._note("database_peer_refused", peer=name or "a stranger", why=str(error), refused=self._untold)
            self._untold, self._told_at = 0, now

    def _must_be_named(self, channel: Channel) -> None:
        if self._names.get(channel) == "":
            channel.break_off(WireError(f"has not said within {HELLO_WITHIN_S:g} s who it is"))
