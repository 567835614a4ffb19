"""Take a turn whenever something changed and at every tick, and let others wait for what a turn brings.

One task group holds the two loops and whatever the turns start; `stop` ends them all.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.abc

from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.pools.limits import Limits


class Turns:
    """turn(now): decide and act, never block. stalled(): this process itself stood still for a while."""

    def __init__(
        self,
        *,
        clock: Clock,
        events: Events,
        limits: Limits,
        turn: Callable[[float], None],
        stalled: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._events = events
        self._limits = limits
        self._turn = turn
        self._stalled = stalled
        self._awake = asyncio.Event()
        self._turned = asyncio.Event()
        self._group: anyio.abc.TaskGroup | None = None
        self._root: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether turns are being taken."""
        return self._root is not None

    def start(self) -> None:
        """Begin with a first turn. Safe when called twice."""
        if self._root is None:
            self._awake.set()
            self._root = asyncio.create_task(self._main(), name="pools")

    async def stop(self) -> None:
        """End the loops and all that was started. Safe when called twice or before start."""
        if self._root is not None:
            self._root.cancel()
            await asyncio.wait({self._root})
            self._root = None

    def wake(self) -> None:
        """Take a turn soon; many calls make one turn."""
        self._awake.set()

    def start_soon(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Run `work` beside the turns, until it ends or `stop`. Only from within a turn."""
        assert self._group is not None
        self._group.start_soon(work, name=name)

    async def until(self, is_true: Callable[[], bool], deadline: float) -> bool:
        """Look after every turn; False at `deadline`, or when no turns are being taken."""
        while not is_true():
            left = deadline - self._clock.monotonic()
            if left <= 0 or self._root is None:
                return False
            try:
                await asyncio.wait_for(self._turned.wait(), left)
            except TimeoutError:
                continue
        return True

    async def _main(self) -> None:
        async with anyio.create_task_group() as group:
            self._group = group
            group.start_soon(self._tick, name="pools tick")
            group.start_soon(self._converge, name="pools converge")

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + self._limits.tick_s)
            self._awake.set()

    async def _converge(self) -> None:
        last = self._clock.monotonic()
        while True:
            await self._awake.wait()
            self._awake.clear()
            now = self._clock.monotonic()
            # Before the turn, whoever woke it: one that sees the old life signs would kill the innocent.
            if now - last > self._limits.tick_s + self._limits.stall_s:
                self._stalled()
            last = now
            try:
                self._turn(now)
            except Exception:
                self._events.emit("pools_failed", traceback=traceback.format_exc())
            self._turned.set()
            self._turned = asyncio.Event()
