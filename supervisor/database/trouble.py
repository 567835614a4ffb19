"""Know whether the files can be written: said once when they cannot, and once when they can again.

full, unwritable   nothing is claimed meanwhile; who sent a finish or rows repeats them; over when a probe can be
                   written and nothing has failed for QUIET_S
damaged            the process ends: writing on would make it worse
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from supervisor.core.clock import Clock
from supervisor.core.errors import ConfigurationError
from supervisor.database.damage import advice, find_damaged, has_room
from supervisor.database.failures import describe, is_damaged, is_full, is_of_storage
from supervisor.database.loops import Note

LOOK_EVERY_S = 1.0
QUIET_S = 2.0
PROBE_BYTES = 1024 * 1024
PROBE = "room.probe"


class Trouble:
    """What is wrong with the files. text: one line for people, "" = nothing. Event loop only.

    damaged: told once, with the error that ends the process.
    """

    def __init__(
        self, state_dir: Path, clock: Clock, note: Note, damaged: Callable[[ConfigurationError], None]
    ) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._note = note
        self._damaged = damaged
        self._failed_at = 0.0
        self._failures = 0
        self._is_damaged = False
        self.text = ""

    def failed(self, error: Exception) -> bool:
        """Take an error; tell whether a disk or a file is the cause, so that nobody else needs to report it."""
        if not is_of_storage(error):
            return False
        if is_damaged(error):
            self._end(error)
            return True
        self._failed_at = self._clock.monotonic()
        self._failures += 1
        if not self.text:
            full = is_full(error) or not has_room(self._state_dir)
            self.text = _full(self._state_dir) if full else _unwritable(self._state_dir, error)
            self._note("storage_failed", reason=self.text, error=describe(error), level="error")
        return True

    async def run_once(self) -> float:
        """Look whether it is over; return when to look again."""
        now = self._clock.monotonic()
        if self.text and now - self._failed_at >= QUIET_S and await asyncio.to_thread(can_write, self._state_dir):
            self._note("storage_works_again", failures=self._failures)
            self.text, self._failures = "", 0
        return now + LOOK_EVERY_S

    def _end(self, error: Exception) -> None:
        if self._is_damaged:
            return
        self._is_damaged = True
        names = find_damaged(self._state_dir) or ["gatherer.db or market.db"]
        self.text = f"{self._state_dir}: {' and '.join(names)}: damaged ({error}); {advice(names[0])}"
        self._damaged(ConfigurationError([self.text]))


def can_write(folder: Path) -> bool:
    """Tell whether PROBE_BYTES can be brought to the disk of `folder`. Blocks."""
    path = folder / PROBE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, PROBE_BYTES)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return True


def _full(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    return (
        f"no room is left on the disk of {folder} ({free:,} bytes free): nothing is claimed, what has been accepted is"
        " kept; make room (old backups, [retention] auctions), it goes on by itself"
    )


def _unwritable(folder: Path, error: Exception) -> str:
    return (
        f"the files in {folder} cannot be written ({error}): nothing is claimed, what has been accepted is kept; look"
        " at the disk (dmesg, mount, owner of the folder), it goes on by itself"
    )
