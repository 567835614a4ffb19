"""Notice that the configuration changed on disk.

An event of the file system is only a hint (an editor may write, rename or touch): what counts is the
content. The folders are watched, not the files, because a watch on a file goes deaf when an editor
replaces it; so are the folders that links lead to. Every LOOK_EVERY_S the content is compared anyway
(network file systems, lost events, no watches left).

A change counts once it has settled, so that a slow writer is not read half-way: nobody has a file open
for writing any more, and two reads SETTLE_S apart agree. Where the kernel does not tell who writes
(`writing.py`), they are UNSURE_SETTLE_S apart.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import watchfiles

from supervisor.core.clock import Clock
from supervisor.settings.writing import Writing, writing

SETTLE_S = 0.05
UNSURE_SETTLE_S = 0.3
PATIENCE_S = 5.0
"""Somebody who keeps a file open for writing, and does not write, is waited for no longer than this."""

LOOK_EVERY_S = 5.0
DEBOUNCE_MS = 50
STEP_MS = 20


class Watcher:
    """Call `changed` after each change of the content of `sources()` that has settled.

    is_watching: an edit from now on is compared with what was there before it.
    """

    def __init__(
        self,
        *,
        sources: Callable[[], Iterable[Path]],
        changed: Callable[[], Awaitable[None]],
        clock: Clock,
        is_written: Callable[[Iterable[Path]], Writing] = writing,
    ) -> None:
        self._sources = sources
        self._changed = changed
        self._clock = clock
        self._is_written = is_written
        self._known = ""
        self.is_watching = False

    async def run(self) -> None:
        """Watch until cancelled."""
        self._known = await asyncio.to_thread(digest, self._sources())
        self.is_watching = True
        while True:
            folders = folders_of(self._sources())
            # One look before the first event: the watch may have begun after an edit.
            await self.run_once()
            async with aclosing(self._hints(sorted(folders))) as hints:
                async for _ in hints:
                    await self.run_once()
                    if folders_of(self._sources()) != folders:
                        break

    async def run_once(self) -> bool:
        """Look once; return whether a settled change was reported."""
        seen = await asyncio.to_thread(digest, self._sources())
        if seen == self._known:
            return False
        seen = await self._settled(seen)
        if seen == self._known:
            return False
        self._known = seen
        await self._changed()
        return True

    async def _settled(self, seen: str) -> str:
        """Return what the files hold when they have come to rest."""
        since = self._clock.monotonic()
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + SETTLE_S)
            again = await asyncio.to_thread(digest, self._sources())
            now = self._clock.monotonic()
            if again != seen:
                seen, since = again, now
                continue
            found = await asyncio.to_thread(self._is_written, self._sources())
            rest_s = {Writing.NO: SETTLE_S, Writing.UNKNOWN: UNSURE_SETTLE_S, Writing.YES: PATIENCE_S}[found]
            if now - since >= rest_s - 1e-9:
                return seen

    async def _hints(self, folders: list[tuple[str, int]]) -> AsyncGenerator[None, None]:
        """Yield whenever something may have changed, at the latest after LOOK_EVERY_S. Ends when watching fails."""
        changes: AsyncIterator[Any] = watchfiles.awatch(
            *(folder for folder, _ in folders),
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            rust_timeout=int(LOOK_EVERY_S * 1000),
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        )
        # A folder may vanish, and a machine may have no watches left (fs.inotify.max_user_watches): then we look.
        with suppress(OSError, RuntimeError):
            async for _ in changes:
                yield
        await self._clock.sleep_until(self._clock.monotonic() + LOOK_EVERY_S)
        yield


def folders_of(sources: Iterable[Path]) -> set[tuple[str, int]]:
    """Return the folders to watch, with their inodes: another folder under the same name has to be watched anew."""
    folders = set()
    for source in sources:
        for parent in {source.parent, source.resolve().parent}:
            with suppress(OSError):
                folders.add((str(parent), parent.stat().st_ino))
    return folders


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
