"""Background loops: do, then wait for a moment or a ring.

A part with a loop has `async run_once() -> float`: it works and returns when to come back (monotonic
seconds). `Bell` wakes it earlier; `keep_doing` is the loop.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from supervisor.core.clock import Clock

AFTER_FAILURE_S = 1.0


class Note(Protocol):
    """Tell the supervisor that something happened (message Noted)."""

    def __call__(self, event: str, /, **fields: Any) -> None:
        """Send the event; never blocks."""
        ...


class Bell:
    """Wait for a moment or for a ring, whichever comes first. A ring while nobody waits is kept."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits, or the next who would."""
        self._event.set()

    async def wait_until(self, clock: Clock, deadline: float) -> None:
        """Return at `deadline` (monotonic seconds) or at a ring."""
        ring = asyncio.ensure_future(self._event.wait())
        moment = asyncio.ensure_future(clock.sleep_until(deadline))
        try:
            await asyncio.wait({ring, moment}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ring.cancel()
            moment.cancel()
        self._event.clear()


async def keep_doing(
    name: str,
    run_once: Callable[[], Awaitable[float]],
    *,
    bell: Bell,
    clock: Clock,
    note: Note,
    is_known: Callable[[Exception], bool] = lambda error: False,
) -> None:
    """Run until cancelled. A failing turn is reported and tried again, never the end of the loop.

    is_known: tells whether an error has been reported already, so that a full disk is not said once for each loop.
    """
    while True:
        try:
            next_at = await run_once()
        except Exception as error:  # top of a loop
            if not is_known(error):
                note("database_loop_failed", loop=name, traceback=traceback.format_exc(limit=8))
            next_at = clock.monotonic() + AFTER_FAILURE_S
        await bell.wait_until(clock, next_at)
