"""The configuration in force: what the file says, with what people said since, put into every part.

reload   read the file again → whole and good, or nothing changes → apply
apply    file + overrides → log, permits, database, pools, autoscale; each compares it with what it has
"""

import asyncio
from collections.abc import Mapping

from supervisor.control.snapshot import Reload
from supervisor.core.errors import ConfigurationError, ForbiddenError, NotFoundError
from supervisor.daemon.parts import Parts
from supervisor.settings.config import Config
from supervisor.settings.derived import database_settings
from supervisor.settings.difference import difference, needs_restart, without_restart
from supervisor.settings.edit import Setting
from supervisor.settings.overrides import Overrides
from supervisor.settings.reload import Source
from supervisor.settings.report import nearest
from supervisor.settings.said import Name
from supervisor.settings.watch import Watcher


class Follower:
    """Keep every part on the configuration. written: as read at the start.

    config: in force. generation: counts what was put in force. last_reload: how the last reading went.
    needs_restart: what the file says and only a restart can follow.
    """

    def __init__(self, written: Config, source: Source, overrides: Overrides, parts: Parts) -> None:
        self._written = self._running = written
        self.needs_restart: tuple[str, ...] = ()
        self._source = source
        self._parts = parts
        self._overrides = overrides
        self._one_reload = asyncio.Lock()
        self.config = self._overrides.applied_to(written)
        self.generation = 1
        self.last_reload = Reload(at=parts.clock.wall())

    def watcher(self) -> Watcher:
        """Return the loop that calls `reload` when a file of the configuration has changed."""
        return Watcher(
            sources=lambda: self._source.files(self._written), changed=self._changed, clock=self._parts.clock
        )

    async def reload(self, *, insist: bool) -> None:
        """Read the file again and follow it; a bad one changes nothing. insist: a person asked (SIGHUP)."""
        async with self._one_reload:
            self._parts.events.emit("reload_begun", insist=insist, level="debug")
            try:
                await self._reload(insist=insist)
            finally:
                # Whatever came of it: systemd waits for the end of what has begun.
                self._parts.events.emit("reload_ended", level="debug")

    async def _reload(self, *, insist: bool) -> None:
        try:
            config = await asyncio.to_thread(self._source.reread, self._written, insist=insist)
        except ConfigurationError as error:
            self.last_reload = Reload(at=self._parts.clock.wall(), errors=tuple(error.problems))
            self._parts.events.emit("config_refused", problems=error.problems)
            return
        if config == self._written and self.last_reload.ok and not insist:
            self._parts.events.emit("config_unchanged")  # an edit of ours, which has been followed already
            return
        before, self._written = self._written, config
        self._follow(tuple(str(change) for change in difference(before, config)), insist=insist)

    def _follow(self, changes: tuple[str, ...], *, insist: bool) -> None:
        """Put what has just been read in force. insist: even if nothing changed, so that what failed is tried again."""
        self.last_reload = Reload(at=self._parts.clock.wall(), changes=changes)
        if not changes and not insist:
            self._parts.events.emit("config_unchanged")
            return
        self.generation += 1
        known, self.needs_restart = self.needs_restart, needs_restart(self._running, self._written)
        self.apply()
        for sentence in self.needs_restart:
            if sentence not in known:
                self.warn(sentence)
        self._parts.events.emit("config_applied", generation=self.generation, changes=list(changes))

    def apply(self) -> None:
        """Put what is written, with what people said since, in force."""
        self.config = self._overrides.applied_to(without_restart(self._running, self._written))
        self._parts.log.configure(self.config.log)
        self._parts.permits.reconfigure(self.config)
        self._parts.database.apply(database_settings(self.config))
        self._parts.pools.apply(self.config)
        self._parts.autoscaler.apply(self.config)

    async def edit(self, worker: str, values: Mapping[Name, int | str]) -> None:
        """Write a worker's settings into the file, as a person would, and follow it.

        ConfigurationError: the file has a mistake, or would have one. RefusedError: it cannot be written.
        Then nothing was changed.
        """
        await self._write({("workers", worker, name): value for name, value in values.items()})
        await asyncio.to_thread(self._overrides.forget, worker, values)
        self.apply()

    async def override(self, worker: str, values: Mapping[Name, int | str]) -> None:
        """Put a worker's settings above those of the file, until the file says something new or they are taken back."""
        now = self._parts.clock.wall()
        await asyncio.to_thread(self._overrides.set_settings, self._written.workers[worker], values, now)
        self.apply()

    def override_for_this_run(self, worker: str, values: Mapping[Name, int | str]) -> None:
        """Put a worker's settings above those of file and environment, until the next start."""
        self._overrides.set_for_this_run(worker, values)
        self.apply()

    async def set_paused(self, worker: str, paused: bool) -> None:
        """Pause or resume a worker; it survives a restart. NotFoundError: no such worker. Errors as in `edit`."""
        self.known(worker)
        if self._written.workers[worker].paused and not paused:
            if self.config.server.edits != "file":
                raise ForbiddenError(f"{self.config.path} says paused = true for {worker}: change it there")
            await self._write({("workers", worker, "paused"): False})
        await asyncio.to_thread(self._overrides.set_paused, worker, paused, self._parts.clock.wall())
        self.apply()
        self._parts.events.emit("worker_paused" if paused else "worker_resumed", worker=worker)

    async def set_disabled(self, key: str, disabled: bool) -> None:
        """Take a key out of use or back; it survives a restart. RefusedError: no such key."""
        self._parts.permits.check_named(key)
        await asyncio.to_thread(self._overrides.set_disabled, key, disabled, self._parts.clock.wall())
        self.apply()
        self._parts.events.emit("key_disabled" if disabled else "key_enabled", key=key)

    async def _write(self, changes: Mapping[Setting, int | str | bool]) -> None:
        await asyncio.to_thread(self._source.edit, self._written, changes)
        await self.reload(insist=False)
        if not self.last_reload.ok:  # somebody's edit came between
            raise ConfigurationError(list(self.last_reload.errors))

    def known(self, worker: str) -> None:
        """NotFoundError unless there is a worker of this name."""
        if worker not in self.config.workers:
            raise NotFoundError(f"no worker {worker[:80]!r}{nearest(worker[:80], self.config.workers)}")

    def warn(self, warning: str) -> None:
        """Tell about something in the configuration that a person should look at."""
        self._parts.events.emit("config_warned", warning=warning, level="warning")

    async def _changed(self) -> None:
        await self.reload(insist=False)
