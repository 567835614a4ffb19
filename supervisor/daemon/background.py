"""Tasks that run beside the parts: each has a name, is kept until it ends, and does not fail in silence."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from supervisor.core.events import Events


class Background:
    """Start tasks and forget none."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` until it ends or `stop` is called; a failure becomes an event."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def stop(self) -> None:
        """Cancel what still runs."""
        for task in self._tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._events.emit("background_failed", task=task.get_name(), error=repr(error), level="error")
