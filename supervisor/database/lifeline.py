"""Keep one database process alive: start, watch, wait, start again.

starting ──ready──▶ ready ──death──▶ restarting ──▶ ready …       backoff and budget: restarts.py
    └──exit 75, 78──▶ refused ──new settings──▶ restarting
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from supervisor.core.clock import Clock
from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.core.events import Events
from supervisor.database.child import Child
from supervisor.database.loops import Bell
from supervisor.database.restarts import Restarts

# Migrations of a large file take their time.
READY_WITHIN_S = 300.0
# The process pulses every second whatever its disk does; silence means that its loop hangs.
HUNG_AFTER_S = 20.0
LOOK_EVERY_S = 2.0
# A locked state and a full disk are tried again; other refusals wait for new settings.
LOCKED_FOR_S = 2.0
FOR_EVER_S = 365 * 86400.0

CONFIGURATION, LOCKED = ConfigurationError.exit_code, UnavailableError.exit_code


class Lifeline:
    """Run process after process.

    launch(): make one. greet(child): its channel is open. lost(): it has gone.
    """

    def __init__(
        self,
        *,
        launch: Callable[[], Child],
        greet: Callable[[Child], None],
        lost: Callable[[], None],
        clock: Clock,
        events: Events,
        random: Random,
    ) -> None:
        self._launch = launch
        self._greet = greet
        self._lost = lost
        self._clock = clock
        self._events = events
        self._bell = Bell()
        self._heard_at = 0.0
        self._is_stopping = self._was_ready = self._waits_for_room = False
        self.restarts = Restarts(random)
        self.child: Child | None = None
        self.state, self.reason = "starting", ""

    def heard(self) -> None:
        """Note a sign of life."""
        self._heard_at = self._clock.monotonic()

    def ready(self) -> None:
        """Note that the process serves."""
        self.heard()
        self._was_ready = True
        self.state, self.reason = "ready", ""

    def refused(self, reason: str, for_room: bool) -> None:
        """Note why the process is about to end. for_room: the disk is full, so it is worth waiting."""
        self.reason, self._waits_for_room = reason, for_room

    def try_again(self) -> None:
        """End a wait early, because the settings have changed."""
        self._bell.ring()

    def stop(self) -> None:
        """Start no further process."""
        self._is_stopping = True
        self._bell.ring()

    async def run(self) -> None:
        """Run until stop.

        Raises only as long as no process has been ready: ConfigurationError or UnavailableError when the
        first one refuses (unless it waits for room on the disk), UnavailableError when one after another dies.
        """
        while not self._is_stopping:
            code = await self._live()
            if self._is_stopping:
                return
            if code in (CONFIGURATION, LOCKED) and not self._was_ready and not self._waits_for_room:
                raise self._refusal(code)
            wait_s = self._refused(code) if code in (CONFIGURATION, LOCKED) else self._died(code)
            if not self._was_ready and self.restarts.is_degraded(self._clock.monotonic()):
                raise UnavailableError(f"the database process cannot be started: {self.reason}")
            await self._bell.wait_until(self._clock, self._clock.monotonic() + wait_s)

    async def _live(self) -> int:
        """Start one process and return its exit status."""
        self.child = child = self._launch()
        try:
            await child.connect()
            self._greet(child)
            await self._watch(child)
        finally:
            child.kill()
            code = await asyncio.shield(child.exited)
            self.child = None
            self._lost()
        return code

    async def _watch(self, child: Child) -> None:
        """Return when the process has ended, or has been silent for too long (it is killed then)."""
        self._heard_at = self._clock.monotonic() + READY_WITHIN_S - HUNG_AFTER_S
        while not child.exited.done():
            look_at = self._clock.monotonic() + LOOK_EVERY_S
            moment = asyncio.ensure_future(self._clock.sleep_until(look_at))
            either: list[asyncio.Future[Any]] = [moment, child.exited]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            moment.cancel()
            if self._clock.monotonic() >= self._heard_at + HUNG_AFTER_S:
                self._events.emit("database_hung", pid=child.pid, level="warning")
                return

    def _died(self, code: int) -> float:
        now = self._clock.monotonic()
        wait_s = self.restarts.died(now)
        self.state, self.reason = "restarting", f"it ended with {code}"
        degraded = self.restarts.is_degraded(now)
        self._events.emit("database_died", status=code, degraded=degraded, wait_s=wait_s, level="warning")
        return wait_s

    def _refused(self, code: int) -> float:
        self.state = "refused"
        return LOCKED_FOR_S if code == LOCKED else FOR_EVER_S

    def _refusal(self, code: int) -> Exception:
        reason = self.reason or f"the database process exited with {code}"
        return ConfigurationError(reason.splitlines()) if code == CONFIGURATION else UnavailableError(reason)
