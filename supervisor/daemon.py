"""The supervisor: builds every part from the configuration, starts and drains them in order.

    start   lock state_dir → HTTP (says "starting") → permits → database → pools
    drain   readyz 503 → schedules → replicas and waiting permits → database (checkpoint)
            → journal (fsync) → HTTP last → exit 0

It never opens SQLite, never parses an API body and never imports a job module.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from supervisor.control.http import ControlServer
from supervisor.control.log import LibraryHandler, LogListener
from supervisor.control.measurements import Measurements
from supervisor.control.memory import Memory
from supervisor.control.metrics import Metrics
from supervisor.control.snapshot import Reload, Snapshot
from supervisor.control.status import status_of
from supervisor.control.summary import Summary
from supervisor.core.clock import Clock, SystemClock
from supervisor.core.errors import ConfigurationError, GathererError, RefusedError
from supervisor.core.events import Events
from supervisor.core.messages import Pulse, Waiting
from supervisor.core.program import hide_memory
from supervisor.database.link import Database
from supervisor.limiter.server import PermitServer
from supervisor.pools.pools import Pools
from supervisor.settings.config import Config
from supervisor.settings.derived import database_settings
from supervisor.settings.folders import hold
from supervisor.settings.overrides import Overrides
from supervisor.settings.reload import Source, needs_restart
from supervisor.settings.watch import Watcher

DRAIN_MARGIN_S = 5.0
DATABASE_STOP_S = 15.0
QUICK_DRAIN_S = 2.0


def run(path: Path | None, overrides: Mapping[str, str]) -> int:
    """Be the supervisor until told to stop; return the exit code (errors.py)."""
    try:
        source = Source(path, os.environ, overrides)
        config = source.read()
        lock = hold(config)
        for variable in config.secret_variables:
            os.environ.pop(variable, None)
        hide_memory()
        with lock:
            uvloop.run(_serve(config, source))
            lock.truncate(0)  # nobody may mistake an old pid for ours
    except GathererError as error:
        print(f"gatherer: {error}", file=sys.stderr)
        return error.exit_code
    return 0


async def _serve(config: Config, source: Source) -> None:
    clock = SystemClock()
    events = Events()
    log = LogListener(config.log, clock)
    events.subscribe(log)
    logging.getLogger().addHandler(LibraryHandler(log))
    daemon = Daemon(config, source, log=log, clock=clock, events=events, random=Random())
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: daemon.hurry() if stop.is_set() else stop.set())
    loop.add_signal_handler(signal.SIGHUP, daemon.reload_soon)
    try:
        await daemon.start()
        await stop.wait()
    finally:
        await daemon.stop()


class Daemon:
    """Every part, wired; implements `control.face.Face`."""

    def __init__(
        self, config: Config, source: Source, *, log: LogListener, clock: Clock, events: Events, random: Random
    ) -> None:
        self._written = config
        self._source = source
        self._log = log
        self._clock = clock
        self._events = events
        self._overrides = Overrides(config.state_dir)
        self._config = self._overrides.applied_to(config)
        self._generation = 1
        self._reload = Reload(at=clock.wall())
        self._started_at = clock.wall()
        self._state = "starting"
        self._drain_deadline = 0.0
        self._background: list[asyncio.Task[None]] = []
        self._one_reload = asyncio.Lock()
        self._measurements = Measurements(clock)
        self._memory = Memory(pid=os.getpid(), clock=clock)
        self._metrics = Metrics(self.snapshot)
        self._http = ControlServer(
            face=self, metrics=self._metrics.text, server=config.server, run_dir=config.run_dir, events=events
        )
        self._permits = PermitServer(
            config=self._config,
            clock=clock,
            events=events,
            random=random,
            journal_path=config.state_dir / "limiter.journal",
        )
        self._database = Database(
            state_dir=config.state_dir,
            run_dir=config.run_dir,
            clock=clock,
            events=events,
            random=random,
            settings=database_settings(self._config),
            on_waiting=self._waiting,
            on_pulse=self._pulse,
        )
        self._pools = Pools(
            config=self._config,
            clock=clock,
            events=events,
            random=random,
            run_dir=config.run_dir,
            permits=self._permits,
            replica_exited=self._database.replica_exited,
            tally=self._measurements.add,
        )

    async def start(self) -> None:
        """Start every part; return when all have been told to work."""
        self._events.emit("supervisor_starting", pid=os.getpid(), config=str(self._config.path))
        for warning in self._config.warnings:
            self._events.emit("config_warned", warning=warning, level="warning")
        await self._http.start()
        await self._permits.start()
        self._permits.set_paused(self._paused())
        await self._database.start()
        await self._pools.start()
        summary = Summary(snapshot=self.snapshot, events=self._events, clock=self._clock)
        watcher = Watcher(
            sources=lambda: self._source.files(self._written), changed=self._file_changed, clock=self._clock
        )
        self._in_background(summary.run(), "summary")
        self._in_background(self._memory.run(), "memory")
        self._in_background(watcher.run(), "watch the configuration")
        self._state = "running"
        self._events.emit("supervisor_started", workers=sorted(self._config.workers), keys=len(self._config.keys))

    async def stop(self) -> None:
        """Drain and stop every part in order; safe after a start that failed half-way."""
        started = self._clock.monotonic()
        self._state = "draining"
        self._events.emit("supervisor_draining")
        grace_s = max((worker.grace_s for worker in self._config.workers.values()), default=0.0)
        self._drain_deadline = started + grace_s + DRAIN_MARGIN_S
        self._database.stop_schedules()
        await self._permits.drain()
        await self._pools.drain(self._drain_deadline)
        await self._pools.stop()
        await self._database.stop(self._clock.monotonic() + DATABASE_STOP_S)
        await self._permits.stop()
        for task in list(self._background):
            task.cancel()
        self._events.emit("supervisor_stopped", seconds=round(self._clock.monotonic() - started, 2))
        await self._http.stop()

    def hurry(self) -> None:
        """Shorten a drain that is under way (a second SIGTERM or Ctrl-C)."""
        self._events.emit("drain_hurried", level="warning")
        deadline = self._clock.monotonic() + QUICK_DRAIN_S
        self._in_background(self._pools.drain(deadline), "quick drain")

    def reload_soon(self) -> None:
        """Read the file again because a person asked (SIGHUP)."""
        self._in_background(self.reload(insist=True), "reload")

    async def _file_changed(self) -> None:
        await self.reload(insist=False)

    async def reload(self, *, insist: bool) -> None:
        """Read the file again and follow it; a bad one changes nothing."""
        async with self._one_reload:
            try:
                config = await asyncio.to_thread(self._source.reread, self._written, insist=insist)
            except ConfigurationError as error:
                self._reload = Reload(at=self._clock.wall(), errors=tuple(error.problems))
                self._events.emit("config_refused", problems=error.problems)
                return
            before, self._written = self._written, config
            self._reload = Reload(at=self._clock.wall())
            self._generation += 1
            self._apply()
            needs_restart(
                before, config, lambda text: self._events.emit("config_warned", warning=text, level="warning")
            )
            self._events.emit("config_applied", generation=self._generation)

    def _in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._background.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._background.remove(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._events.emit("background_failed", task=task.get_name(), error=repr(error), level="error")

    def _apply(self) -> None:
        """Put what is written, with what people said since, in force."""
        self._config = self._overrides.applied_to(self._written)
        self._log.configure(self._config.log)
        self._permits.reconfigure(self._config)
        self._permits.set_paused(self._paused())
        self._database.apply(database_settings(self._config))
        self._pools.apply(self._config)

    def _paused(self) -> frozenset[str]:
        return frozenset(name for name, worker in self._config.workers.items() if worker.paused)

    def _waiting(self, message: Waiting) -> None:
        self._permits.set_waiting(message.counts)

    def _pulse(self, message: Pulse) -> None:
        """Nothing to do: the link keeps the last one for `snapshot`."""

    def snapshot(self) -> Snapshot:
        """Return one look at everything."""
        return Snapshot(
            now=self._clock.wall(),
            started_at=self._started_at,
            pid=os.getpid(),
            config=self._config,
            generation=self._generation,
            reload=self._reload,
            reasons_not_ready=self.reasons_not_ready(),
            limiter=self._permits.statistics(),
            pools=self._pools.statistics(),
            database=self._database.statistics(),
            measurements=self._measurements,
            memory=self._memory.pss_bytes,
        )

    def status(self) -> dict[str, Any]:
        """See `Face`."""
        return status_of(self.snapshot())

    def reasons_not_ready(self) -> list[str]:
        """See `Face`."""
        reasons = [] if self._state == "running" else [f"the supervisor is {self._state}"]
        database = self._database.statistics()
        if database.state != "ready":
            reasons.append(f"the database is {database.state} {database.reason}".strip())
        if not any(key.state == "ok" for key in self._permits.statistics().keys):
            reasons.append("no key can be used")
        pools = self._pools.statistics().workers.values()
        if not any(pool.effective_replicas for pool in pools):
            reasons.append("no replica is ready")
        return reasons

    async def ask(
        self, method: str, params: dict[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> tuple[int, bytes]:
        """See `Face`."""
        return await self._database.ask(method, params, body, timeout_s)

    async def verify_keys(self, name: str | None) -> list[dict[str, Any]]:
        """See `Face`."""
        checks = await self._permits.verify(name)
        return [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]

    async def set_paused(self, worker: str, paused: bool) -> tuple[int, dict[str, Any]]:
        """See `Face`."""
        self._known(worker)
        self._overrides.set_paused(worker, paused, self._clock.wall())
        self._apply()
        self._events.emit("worker_paused" if paused else "worker_resumed", worker=worker)
        return 200, {"worker": worker, "paused": self._config.workers[worker].paused}

    async def restart(self, worker: str) -> tuple[int, dict[str, Any]]:
        """See `Face`."""
        self._known(worker)
        await self._pools.restart(worker)
        return 202, {"worker": worker, "restarting": True}

    def _known(self, worker: str) -> None:
        if worker not in self._config.workers:
            raise RefusedError(f"{worker}: no such worker; there are {', '.join(sorted(self._config.workers))}")
