"""The database as one object: no process, no signals, so that tests can hold it.

1. start(settings, exits): open, migrate, adopt or end earlier leases, end those of `exits`, listen
2. run(): background loops until cancelled
3. receive(message): a word of the supervisor
4. stop(): sessions, writer, checkpoint, files
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from supervisor.core.clock import Clock
from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.core.messages.base import Message
from supervisor.core.messages.supervisor_database import (
    DatabaseReady,
    DatabaseSettings,
    Noted,
    Question,
    ReplicaExited,
    StopSchedules,
)
from supervisor.database import backup, opening
from supervisor.database.loops import keep_doing
from supervisor.database.migrations import Migrated
from supervisor.database.packages import Package
from supervisor.database.parts import Parts
from supervisor.database.schema import is_old, migrate_schema, refuse_newer_schema
from supervisor.database.staging import abort_strays
from supervisor.database.suspects import adopt
from supervisor.database.workers import specs_of
from supervisor.database.writer import Lane

LOCK_WITHIN_S = 2.0
LOCK_LOOK_EVERY_S = 0.1


class Service:
    """The open database. supervisor: a name that no other supervisor run has. send: to the supervisor.

    broken: done when a file turned out to be damaged, with the error to end with.
    """

    def __init__(
        self, *, state_dir: Path, run_dir: Path, clock: Clock, random: Random, supervisor: str, pid: int,
        send: Callable[[Message], None],
    ) -> None:  # fmt: skip  # one line a name would be a page
        self._state_dir = state_dir
        self._socket = run_dir / "database.sock"
        self._clock = clock
        self._random = random
        self._supervisor = supervisor
        self._pid = pid
        self._send = send
        self._files: opening.Files | None = None
        self._is_stopped = False
        self._server: asyncio.Server | None = None
        self._applying = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop
        self.broken: asyncio.Future[ConfigurationError]
        self.parts: Parts

    async def start(self, settings: DatabaseSettings, exits: Sequence[ReplicaExited] = ()) -> None:
        """Open everything and say DatabaseReady.

        exits: replicas that ended while nobody could be told. ConfigurationError: files or packages
        that cannot be used; UnavailableError: the state is locked.
        """
        self._loop = asyncio.get_running_loop()
        self.broken = self._loop.create_future()
        specs = specs_of(settings)
        files = self._files = opening.open_files(self._state_dir, await self._lock())
        packages = {spec.package.folder: spec.package for spec in specs if spec.package}
        await asyncio.to_thread(self._back_up_if_old, files.connection, self._clock.wall(), packages.values())
        work = partial(migrate_schema, packages=packages.values(), market_path=files.market_path)
        self._tell(await asyncio.to_thread(work, files.connection, self._clock.wall()))
        self.parts = Parts(
            files.connection, state_dir=self._state_dir, clock=self._clock, random=self._random,
            send=self._send, note=self.note, damaged=self.broken.set_result,
        )  # fmt: skip  # as above
        self.parts.writer.start()
        self.parts.workers.apply(specs, settings.default_region, settings.regions)
        await self._adopt(exits)
        await self.parts.reader.start()
        await self.parts.stale_reader.start()
        self.parts.apply(settings)
        await self._listen()
        self._send(DatabaseReady(self._pid, sqlite3.sqlite_version, files.fresh))

    async def run(self) -> None:
        """Run the background loops until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.parts.waiting.run(), name="waiting")
            for loop in self.parts.loops():
                work = keep_doing(
                    loop.name, loop.run_once, bell=loop.bell, clock=self._clock, note=self.note,
                    is_known=self.parts.is_known,
                )  # fmt: skip  # as above
                group.create_task(work, name=loop.name)

    def receive(self, message: Message) -> None:
        """Take a word of the supervisor; never waits."""
        match message:
            case Question():
                self.parts.answers.ask(message)
            case ReplicaExited():
                self.parts.exits.exited(message)
            case DatabaseSettings():
                task = asyncio.get_running_loop().create_task(self.apply(message), name="apply settings")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case StopSchedules():
                self.parts.stop_background_work()

    async def apply(self, settings: DatabaseSettings) -> None:
        """Put new settings in force; settings that cannot be used change nothing and are reported."""
        async with self._applying:
            before = self.parts.workers
            configured, region = list(before.configured.values()), before.region
            try:
                before.apply(specs_of(settings), settings.default_region, settings.regions)
                work = partial(self._back_up_if_old, packages=before.packages())
                await self.parts.writer.do(work, Lane.OUTSIDE)
                await self._migrate()
            except (ConfigurationError, UnavailableError, sqlite3.Error) as error:
                before.apply(configured, region)
                self.note("database_settings_refused", reason=str(error))
                return
            self.parts.apply(settings)

    async def stop(self) -> None:
        """Finish the group in hand and close; safe when called twice or before start."""
        if self._files is None:
            return
        files = self._files
        if self._is_stopped:
            return
        self._is_stopped = True
        if self._server is not None:
            self._server.close()
            self._socket.unlink(missing_ok=True)  # nobody else's: the lock is still ours
        if hasattr(self, "parts"):
            for session in list(self.parts.desk.sessions):
                session.channel.close()
            await self.parts.answers.stop()
            await self.parts.writer.stop()
            await self.parts.reader.stop()
            await self.parts.stale_reader.stop()
        if not self.broken.done():
            files.close()

    def note(self, event: str, /, **fields: Any) -> None:
        """Tell the supervisor that something happened."""
        self._send(Noted(event, fields))

    async def _lock(self) -> int:
        """Take the lock; a process that is being killed right now gets a moment to let go of it."""
        deadline = self._clock.monotonic() + LOCK_WITHIN_S
        while True:
            try:
                return opening.lock(self._state_dir)
            except UnavailableError:
                if self._clock.monotonic() >= deadline:
                    raise
            await self._clock.sleep_until(self._clock.monotonic() + LOCK_LOOK_EVERY_S)

    def _back_up_if_old(self, connection: sqlite3.Connection, now: float, packages: Iterable[Package]) -> None:
        """Keep what migrations are about to change.

        ConfigurationError: it is newer than this program, or it cannot be kept; NoRoomError: the disk is too full for
        that. Then nothing is migrated.
        """
        assert self._files is not None
        refuse_newer_schema(connection, packages=packages, market_path=self._files.market_path)
        if is_old(connection, packages=packages, market_path=self._files.market_path):
            folder = backup.before_migrations(self._state_dir, now)
            self._loop.call_soon_threadsafe(partial(self.note, "state_backed_up", folder=str(folder)))

    async def _migrate(self) -> None:
        assert self._files is not None
        packages = self.parts.workers.packages()
        work = partial(migrate_schema, packages=packages, market_path=self._files.market_path)
        self._tell(await self.parts.writer.do(work, Lane.OUTSIDE))

    def _tell(self, all_migrated: Sequence[Migrated]) -> None:
        for migrated in all_migrated:
            for name in migrated.applied:
                self.note("migration_applied", migration=name)
            for name in migrated.changed:
                self.note("migration_changed_after_it_was_applied", migration=name)

    async def _adopt(self, exits: Sequence[ReplicaExited]) -> None:
        """Settle whose leases still hold, before anybody can ask for one."""
        parts = self.parts
        for replica, _, lease in await parts.writer.do(partial(adopt, supervisor=self._supervisor)):
            parts.leases.adopted(replica, lease, self._clock.monotonic())
        for exited in exits:
            await parts.exits.end(exited)
        await parts.writer.do(abort_strays)

    async def _listen(self) -> None:
        self._socket.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self.parts.desk.connect, str(self._socket), backlog=256)
