"""One moment to wake at, moved at will: no polling, one sleeping task."""

import asyncio
import math
import traceback
from collections.abc import Callable

from supervisor.core.clock import Clock
from supervisor.core.events import Events


class Timer:
    """Call `fire(now)` at the moment it is armed for.

    fire returns when it wants to be called next (monotonic seconds, inf = when armed again). `arm`
    only ever brings the moment forward; from the loop's thread only.
    """

    def __init__(self, *, name: str, clock: Clock, events: Events, fire: Callable[[float], float]) -> None:
        self._name = name
        self._clock = clock
        self._events = events
        self._fire = fire
        self._at = math.inf
        self._armed = asyncio.Event()
        self._sleeper: asyncio.Task[None] | None = None

    def arm(self, at: float) -> None:
        """Fire at `at` if that is earlier than what is planned."""
        if at >= self._at:
            return
        self._at = at
        self._armed.set()
        if self._sleeper is not None:
            self._sleeper.cancel()

    async def run(self) -> None:
        """Fire for ever, until cancelled."""
        while True:
            if self._at == math.inf:
                self._armed.clear()
                await self._armed.wait()
            await self._sleep()
            now = self._clock.monotonic()
            if now >= self._at:
                self._at = math.inf
                self._tick(now)

    async def _sleep(self) -> None:
        self._sleeper = asyncio.create_task(self._clock.sleep_until(self._at), name=f"{self._name} sleeps")
        try:
            await asyncio.wait({self._sleeper})
        finally:
            self._sleeper.cancel()
            self._sleeper = None

    def _tick(self, now: float) -> None:
        try:
            self.arm(self._fire(now))
        except Exception:  # top of a loop: a bug in one turn must not stop all permits for good
            self._events.emit("timer_failed", timer=self._name, traceback=traceback.format_exc())
            self.arm(now + 1.0)
