"""A replica's side of the permits: ask, get, give back.

One `Permit` is leave for one request with one key. It is given back exactly once, in the loop turn
that learnt its fate; `close` (also by `with`) gives back what was never used.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType

import msgspec

from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError
from supervisor.core.messages.replica_supervisor import (
    ANSWERED,
    DRAINING,
    HOST_DOWN,
    NO_PERMIT,
    NOT_SENT,
    UNKNOWN,
    Acquire,
    Cancel,
    Grant,
    Refuse,
    Release,
)

# The supervisor gives up a permit of which it hears nothing for the API's timeout and 30 s (the limiter's hold
# limit) and may then grant its place to somebody else: what is sent with it must have ended before, timeout and all.
MAX_AGE_S = 25.0


class PermitRefused(UnavailableError):
    """Say that no permit came; `why` is one of the words of `messages.Refuse`."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no permit: {why}")
        self.why = why

    @property
    def is_draining(self) -> bool:
        """Tell whether the supervisor grants nothing more of this kind because it drains."""
        return self.why == DRAINING

    @property
    def is_host_down(self) -> bool:
        """Tell whether the API's host does not answer, so that nothing is sent to it but a probe."""
        return self.why == HOST_DOWN


class Permit:
    """Leave to send one request; headers and query carry the credential.

    region: where it is sent, set before the request. is_probe: the one request that looks whether a host is up.
    is_endless: leave to start jobs that send no request, for as long as there are any; nothing of it goes back.
    """

    __slots__ = (
        "_down_regions",
        "_give_back",
        "_granted_at",
        "_regions",
        "headers",
        "id",
        "is_endless",
        "is_probe",
        "is_spent",
        "key",
        "query",
        "region",
    )

    def __init__(self, grant: Grant, give_back: Callable[[Release], None], granted_at: float) -> None:
        self._granted_at = granted_at
        self._regions = grant.regions
        self._down_regions = grant.down_regions
        self.is_probe = grant.is_probe
        self.region = ""
        self.id = grant.permit
        self.key = grant.key
        self.headers = grant.headers
        self.query = grant.query
        self.is_endless = grant.permit == NO_PERMIT
        self.is_spent = self.is_endless
        self._give_back = give_back

    def fits(self, region: str, now: float) -> bool:
        """Tell whether a request to `region` ("" = any) may still be sent with it at `now` (monotonic seconds)."""
        is_fresh = now - self._granted_at < MAX_AGE_S
        is_ours = not region or not self._regions or region in self._regions
        return is_fresh and is_ours and region not in self._down_regions

    def answered(
        self,
        status: int,
        rtt_s: float,
        retry_after_s: float = -1.0,
        date_s: int = 0,
        path: str = "",
        room: tuple[int, int] = (-1, -1),
    ) -> None:
        """Report an answer, at its headers. room: requests that a window allows, and those left, as the API says."""
        self._spend(Release(self.id, ANSWERED, status, rtt_s, retry_after_s, date_s, path, self.region, *room))

    def not_sent(self) -> None:
        """Report that no byte of a request can have left this process."""
        self._spend(Release(self.id, NOT_SENT))

    def unreachable(self) -> None:
        """Report that no connection came about."""
        self._spend(Release(self.id, NOT_SENT, region=self.region))

    def lost(self) -> None:
        """Report that no answer came, by the host's or the network's fault: it may still be counted."""
        self._spend(Release(self.id, UNKNOWN, region=self.region))

    def unknown(self) -> None:
        """Report that the server may or may not count the request."""
        self._spend(Release(self.id, UNKNOWN))

    def _spend(self, release: Release) -> None:
        if not self.is_spent:
            self.is_spent = True
            self._give_back(release)

    def __enter__(self) -> "Permit":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever leaves without a word may have sent something: the safe side is UNKNOWN. A cancel is our own
        # doing and says nothing about the host, nor does a URL that cannot be sent.
        if kind is not None and issubclass(kind, Exception) and not issubclass(kind, ValueError):
            self.lost()
        self.unknown()


class Permits:
    """The permits of one replica: every wait has a number and a deadline."""

    def __init__(self, send: Callable[[msgspec.Struct], None], clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._last_ask = 0
        self._waiting: dict[int, asyncio.Future[Permit]] = {}

    async def acquire(
        self, *, start: bool, priority: int, deadline: float, region: str = "", again: bool = False
    ) -> Permit:
        """Return a permit. PermitRefused when none comes by `deadline` (monotonic) or the pool drains.

        again: for a request that was refused or lost with an earlier permit; it goes before those that wait.
        A cancelled wait leaks nothing: a grant that crosses the cancel goes back NOT_SENT.
        """
        self._last_ask += 1
        ask = self._last_ask
        future: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._waiting[ask] = future
        self._send(Acquire(ask, start, priority, deadline, region, again))
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().not_sent()
            else:
                self._send(Cancel(ask))
            raise
        finally:
            self._waiting.pop(ask, None)

    def receive(self, message: Grant | Refuse) -> None:
        """Hand a grant or a refusal to its waiter."""
        future = self._waiting.get(message.ask)
        is_wanted = future is not None and not future.done()
        if isinstance(message, Refuse):
            if future is not None and is_wanted:
                future.set_exception(PermitRefused(message.why))
            return
        permit = Permit(message, self._send, self._clock.monotonic())
        if future is not None and is_wanted:
            future.set_result(permit)
        else:
            permit.not_sent()
