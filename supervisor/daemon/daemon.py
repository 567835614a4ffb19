"""The life of the supervisor: start every part, and drain them in order.

    start   lock state_dir → HTTP (says "starting") → zygote (imports meanwhile) → permits → database → pools
    drain   readyz 503 → schedules → replicas and waiting permits → database (checkpoint)
            → journal (fsync) → HTTP last → exit 0

It never opens SQLite, never parses an API body and never imports a job module.
"""

import os

from supervisor.control.dashboard.history import History
from supervisor.control.dashboard.stream import Stream
from supervisor.control.http import ControlServer
from supervisor.control.metrics import Metrics
from supervisor.control.summary import Summary
from supervisor.control.systemd import Systemd
from supervisor.daemon.answers import Answers
from supervisor.daemon.background import Background
from supervisor.daemon.following import Follower
from supervisor.daemon.parts import Parts

DRAIN_MARGIN_S = 5.0
DATABASE_STOP_S = 15.0
QUICK_DRAIN_S = 2.0


class Daemon:
    """Every part, in order."""

    def __init__(self, follower: Follower, parts: Parts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._events = parts.events
        self._follower = follower
        self._answers = Answers(parts, follower)
        self._background = Background(parts.events)
        self._history = History(snapshot=self._answers.snapshot, clock=parts.clock)
        self._stream = Stream(face=self._answers, samples=self._history.samples, clock=parts.clock)
        self._http = ControlServer(
            face=self._answers,
            metrics=Metrics(self._answers.snapshot).text,
            stream=self._stream,
            server=follower.config.server,
            run_dir=follower.config.run_dir,
            events=parts.events,
        )

    async def start(self) -> None:
        """Start every part; return when all have been told to work."""
        config = self._follower.config
        systemd = Systemd(environment=os.environ, snapshot=self._answers.snapshot, clock=self._clock)
        self._events.subscribe(systemd.listen)
        self._background.start(systemd.run(), "systemd")
        self._events.emit("supervisor_starting", pid=os.getpid(), config=str(config.path))
        for warning in config.warnings:
            self._follower.warn(warning)
        await self._http.start()
        self._parts.pools.prepare()
        await self._parts.permits.start()
        await self._parts.database.start()
        await self._parts.pools.start()
        summary = Summary(snapshot=self._answers.snapshot, events=self._events, clock=self._clock)
        self._background.start(summary.run(), "summary")
        self._background.start(self._parts.memory.run(), "memory")
        self._background.start(self._history.run(), "history")
        self._background.start(self._stream.run(), "stream")
        self._background.start(self._parts.autoscaler.run(), "autoscale")
        self._background.start(self._follower.watcher().run(), "watch the configuration")
        self._answers.stage = "running"
        self._events.emit("supervisor_started", workers=sorted(config.workers), keys=len(config.keys))

    async def stop(self) -> None:
        """Drain and stop every part in order; safe after a start that failed half-way."""
        started = self._clock.monotonic()
        self._answers.stage = "draining"
        self._events.emit("supervisor_draining")
        grace_s = max((worker.grace_s for worker in self._follower.config.workers.values()), default=0.0)
        self._parts.autoscaler.freeze()
        self._parts.database.stop_schedules()
        await self._parts.permits.drain()
        await self._parts.pools.drain(started + grace_s + DRAIN_MARGIN_S)
        await self._parts.pools.stop()
        await self._parts.database.stop(self._clock.monotonic() + DATABASE_STOP_S)
        await self._parts.permits.stop()
        self._background.stop()
        self._events.emit("supervisor_stopped", seconds=round(self._clock.monotonic() - started, 2))
        await self._http.stop()

    def hurry(self) -> None:
        """Shorten a drain that is under way (a second SIGTERM or Ctrl-C)."""
        self._events.emit("drain_hurried", level="warning")
        deadline = self._clock.monotonic() + QUICK_DRAIN_S
        self._background.start(self._parts.pools.drain(deadline), "quick drain")

    def reload_soon(self) -> None:
        """Read the file again because a person asked (SIGHUP)."""
        self._background.start(self._follower.reload(insist=True), "reload")
