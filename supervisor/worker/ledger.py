"""A replica's side of the database: claim, rows, finish, give back.

A finish must arrive: it is kept and repeated while the database restarts, and a repeat under the
same lease is answered "already done". Everything else that meets a lost connection fails with
UnavailableError and is somebody else's to decide.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from supervisor.core.backoff import full_jitter
from supervisor.core.calls import Calls
from supervisor.core.clock import Clock
from supervisor.core.errors import GathererError, UnavailableError, WireError
from supervisor.core.messages.replica_database import Claim, Claimed, Failed, FromDatabase, Hello, Renew
from supervisor.core.wire import Channel

CALL_TIMEOUT_S = 30.0
# Small, because everything waits for it, and asking a Unix socket that is not there costs next to nothing.
RECONNECT_BASE_S = 0.05
RECONNECT_CAP_S = 0.1


class StoreFailed(GathererError):
    """Say that a call cannot succeed: the database refused it (a bad row), or it cannot even be sent (too large)."""


class NoRoom(GathererError):
    """Say that the disk takes no bulk rows now, nor soon: the job is to be snoozed."""


class Ledger:
    """One replica's connection to the database process; reconnects by itself."""

    def __init__(self, *, socket: str, replica: str, worker: str, clock: Clock, random: Random) -> None:
        self._socket = socket
        self._hello = Hello(replica, worker)
        self._clock = clock
        self._random = random
        self._calls = Calls()
        self._channel: Channel | None = None
        self._open = asyncio.Event()
        self._lost = asyncio.Event()
        self._leases: set[int] = set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        attempt = 0
        while True:
            try:
                await self._connect()
                attempt = 0
                await self._lost.wait()
            except OSError:
                attempt += 1
                wait_s = full_jitter(attempt, base_s=RECONNECT_BASE_S, cap_s=RECONNECT_CAP_S, random=self._random)
                await self._clock.sleep_until(self._clock.monotonic() + wait_s)

    async def claim(self, n: int) -> Claimed:
        """Take at most `n` jobs. UnavailableError when the database is away."""
        reply = await self._ask(lambda call: Claim(call, n))
        assert isinstance(reply, Claimed)
        self._leases.update(job.lease for job in reply.jobs)
        return reply

    def renew(self) -> None:
        """Keep the leases of this replica; the database takes back any other that it holds in our name."""
        if self._channel is not None:
            self._channel.send(Renew(list(self._leases)))

    async def end(self, lease: int, message: Callable[[int], msgspec.Struct]) -> None:
        """Insist on the finish or the release of a job, then forget its lease."""
        await self.insist(message)
        self._leases.discard(lease)

    async def insist(self, message: Callable[[int], msgspec.Struct]) -> Any:
        """Send a call that may be repeated safely until it is answered.

        StoreFailed when refused for good, NoRoom when it is bulk rows and the disk is nearly full.
        """
        attempt = 0
        while True:
            try:
                return await self._ask(message)
            except UnavailableError:
                attempt += 1
                wait_s = full_jitter(attempt, base_s=RECONNECT_BASE_S, cap_s=RECONNECT_CAP_S, random=self._random)
                await self._clock.sleep_until(self._clock.monotonic() + wait_s)

    async def _ask(self, message: Callable[[int], msgspec.Struct]) -> Any:
        if not self._open.is_set():
            await self._connected()
        channel = self._channel
        if channel is None:
            raise UnavailableError("the database is away")
        try:
            reply = await self._calls.ask(lambda call: channel.send(message(call)), CALL_TIMEOUT_S)
        except WireError as error:
            raise StoreFailed(str(error)) from error
        if isinstance(reply, Failed):
            if reply.not_soon:
                raise NoRoom(reply.error)
            raise UnavailableError(reply.error) if reply.retryable else StoreFailed(reply.error)
        return reply

    async def _connected(self) -> None:
        try:
            await asyncio.wait_for(self._open.wait(), CALL_TIMEOUT_S)
        except TimeoutError as error:
            raise UnavailableError(f"the database is away since {CALL_TIMEOUT_S:g} s") from error

    async def _connect(self) -> None:
        self._lost.clear()
        channel = Channel(FromDatabase, self._receive, self._closed)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, self._socket)
        channel.send(self._hello)
        channel.send(Renew(list(self._leases)))
        self._channel = channel
        self._open.set()

    def _receive(self, message: Any) -> None:
        self._calls.resolve(message.call, message)

    def _closed(self, error: Exception | None) -> None:
        self._channel = None
        self._open.clear()
        self._lost.set()
        self._calls.fail_all(UnavailableError("the database closed the connection"))
