"""Requests and replies over a channel: number each call, hand each reply to its caller."""

import asyncio
from collections.abc import Callable
from typing import Any

from supervisor.core.errors import UnavailableError


class Calls:
    """Pending calls of one connection.

    `next_call()` numbers a request; `wait(call, deadline)` returns its reply. `fail_all` ends every
    wait when the connection closes: what was asked may or may not have happened.
    """

    def __init__(self) -> None:
        self._last = 0
        self._pending: dict[int, asyncio.Future[Any]] = {}

    def next_call(self) -> int:
        """Return a number that no pending call has, and expect its reply."""
        self._last += 1
        self._pending[self._last] = asyncio.get_running_loop().create_future()
        return self._last

    async def wait(self, call: int, timeout_s: float) -> Any:
        """Return the reply. UnavailableError when none came within `timeout_s` or the peer closed."""
        try:
            return await asyncio.wait_for(self._pending[call], timeout_s)
        except TimeoutError as error:
            raise UnavailableError(f"no answer within {timeout_s:g} s") from error
        finally:
            self._pending.pop(call, None)

    async def ask(self, send: Callable[[int], None], timeout_s: float) -> Any:
        """Number a call, let `send` write it, and return the reply. What `send` raises passes through."""
        call = self.next_call()
        try:
            send(call)
        except BaseException:
            del self._pending[call]
            raise
        return await self.wait(call, timeout_s)

    def resolve(self, call: int, reply: Any) -> None:
        """Give `reply` to whoever waits for `call`; nobody waiting is fine."""
        future = self._pending.get(call)
        if future is not None and not future.done():
            future.set_result(reply)

    def fail_all(self, error: Exception) -> None:
        """End every pending call with `error`."""
        for future in self._pending.values():
            if not future.done():
                future.set_exception(error)
