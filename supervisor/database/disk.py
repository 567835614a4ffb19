"""Watch the space that is left: bulk rows stop first, then background work; never the queue or results."""

import shutil
from collections.abc import Callable
from pathlib import Path

from supervisor.core.clock import Clock
from supervisor.database.loops import Note

LOOK_EVERY_S = 1.0
# Below this share of min_free nothing is enqueued by schedule or freshness either.
BACKGROUND_STOPS_AT = 0.5


class DiskWatch:
    """Know how much is free. free_bytes and both flags change in `run_once` only. changed: is told when a flag has."""

    def __init__(
        self,
        state_dir: Path,
        clock: Clock,
        note: Note,
        *,
        changed: Callable[[], None] = lambda: None,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._note = note
        self._changed = changed
        self._look = free_bytes or _free_bytes
        self.free_bytes = 0
        self.min_free_bytes = 0
        self.bulk_stopped = False
        self.background_stopped = False

    async def run_once(self) -> float:
        """Look; return when to look again."""
        free = self.free_bytes = self._look(self._state_dir)
        stopped = (free < self.min_free_bytes, free < self.min_free_bytes * BACKGROUND_STOPS_AT)
        if stopped != (self.bulk_stopped, self.background_stopped):
            self.bulk_stopped, self.background_stopped = stopped
            self._note(
                "disk_space_changed",
                free_bytes=free,
                min_free_bytes=self.min_free_bytes,
                bulk_stopped=self.bulk_stopped,
                background_stopped=self.background_stopped,
            )
            self._changed()
        return self._clock.monotonic() + LOOK_EVERY_S


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free
