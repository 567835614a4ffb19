"""Notice that the configuration changed on disk.

An event of the file system is only a hint (an editor may write, rename or touch): what counts is the
content. The folders are watched, not the files, because a watch on a file goes deaf when an editor
replaces it; every LOOK_EVERY_S the content is compared anyway (network file systems, lost events).
A change counts when two reads SETTLE_S apart agree, so that a slow writer is not read half-way.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import watchfiles

from supervisor.core.clock import Clock

SETTLE_S = 0.3
LOOK_EVERY_S = 5.0
DEBOUNCE_MS = 50
STEP_MS = 20


class Watcher:
    """Call `changed` after each change of the content of `sources()` that has settled."""

    def __init__(
        self, *, sources: Callable[[], Iterable[Path]], changed: Callable[[], Awaitable[None]], clock: Clock
    ) -> None:
        self._sources = sources
        self._changed = changed
        self._clock = clock
        self._known = ""

    async def run(self) -> None:
        """Watch until cancelled."""
        self._known = await asyncio.to_thread(digest, self._sources())
        while True:
            folders = sorted({source.parent for source in self._sources() if source.parent.is_dir()})
            async for _ in watchfiles.awatch(
                *folders,
                watch_filter=None,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                rust_timeout=int(LOOK_EVERY_S * 1000),
                yield_on_timeout=True,
                recursive=False,
                ignore_permission_denied=True,
            ):
                if await self.run_once() and self._folders_changed(folders):
                    break

    async def run_once(self) -> bool:
        """Look once; return whether a settled change was reported."""
        seen = await asyncio.to_thread(digest, self._sources())
        if seen == self._known:
            return False
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + SETTLE_S)
            again = await asyncio.to_thread(digest, self._sources())
            if again == seen:
                break
            seen = again
        if seen == self._known:
            return False
        self._known = seen
        await self._changed()
        return True

    def _folders_changed(self, folders: list[Path]) -> bool:
        return folders != sorted({source.parent for source in self._sources() if source.parent.is_dir()})


def digest(sources: Iterable[Path]) -> str:
    """Return a hash of what the files hold now; one that cannot be read counts as its error."""
    sha256 = hashlib.sha256()
    for source in sorted(sources):
        sha256.update(str(source).encode())
        try:
            sha256.update(hashlib.sha256(source.read_bytes()).digest())
        except OSError as error:
            sha256.update(type(error).__name__.encode())
    return sha256.hexdigest()
