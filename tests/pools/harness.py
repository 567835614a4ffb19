"""Pools over real processes, with everything they report written down."""

import dataclasses
import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from supervisor.core.clock import SystemClock
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Acquire, Cancel, Grant, Refuse, Release
from supervisor.pools.limits import Limits
from supervisor.pools.pools import Pools
from supervisor.pools.statistics import WorkerStatistics
from supervisor.settings.config import Api, Config, Log, Server, Worker
from tests.support.waiting import eventually

RUNNER = "tests.pools.runner:run_replica"
QUICK = Limits(
    start_timeout_s=5.0, silence_s=0.6, backoff_base_s=0.05, backoff_cap_s=0.2, tick_s=0.05, margin_s=0.1, healthy_s=5.0
)


def a_worker(name: str, replicas: int, behaviour: str = "work", **more: Any) -> Worker:
    environment = {"BEHAVIOUR": behaviour} | more.pop("environment", {})
    settings: dict[str, Any] = {"job": "json", "tag": "any"} | more
    return Worker(name=name, replicas=replicas, environment=environment, **settings)


def a_config(*workers: Worker, **more: Any) -> Config:
    return Config(
        path=None,
        sha256="",
        state_dir=Path("/nowhere"),
        run_dir=Path("/nowhere"),
        server=Server(),
        apis={"blizzard": Api(name="blizzard")},
        keys=(),
        workers={worker.name: worker for worker in workers},
        schedules={},
        freshness={},
        retention_s={},
        min_free_bytes=0,
        log=Log(),
        **more,
    )


class Permits:
    """The limiter's seam: who is connected, who may start, what came in."""

    def __init__(self) -> None:
        self.connected: dict[int, str] = {}
        self.no_starts: set[str] = set()
        self.received: list[tuple[str, Acquire | Cancel | Release]] = []
        self.last = 0

    def connect(self, replica: str, worker: str, send: Callable[[Grant | Refuse], None]) -> int:
        self.last += 1
        self.connected[self.last] = replica
        return self.last

    def receive(self, connection: int, message: Acquire | Cancel | Release, now: float) -> None:
        self.received.append((self.connected[connection], message))

    def disconnect(self, connection: int) -> None:
        del self.connected[connection]

    def stop_starts(self, connection: int) -> None:
        self.no_starts.add(self.connected[connection])


class Scene:
    """Pools and their witnesses. `events` holds (name, fields) in order."""

    def __init__(self, tmp_path: Path, *workers: Worker, limits: Limits = QUICK, runner: str = RUNNER) -> None:
        self.config = a_config(*workers)
        self.permits = Permits()
        self.exits: list[tuple[str, bool, str]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        events = Events()
        events.subscribe(lambda name, fields: self.events.append((name, fields)))
        self.clock = SystemClock()
        self.pools = Pools(
            config=self.config,
            clock=self.clock,
            events=events,
            random=Random(1),
            run_dir=tmp_path,
            permits=self.permits,
            replica_exited=lambda replica, crashed, status: self.exits.append((replica, crashed, status)),
            tally=lambda worker, tally: None,
            runner=runner,
            limits=limits,
        )

    def worker(self, name: str = "work") -> WorkerStatistics:
        return self.pools.statistics().workers[name]

    def pids(self, name: str = "work") -> dict[str, int]:
        return {r.name: r.pid for r in self.worker(name).replicas if r.state == "ready"}

    async def ready(self, n: int, name: str = "work") -> dict[str, int]:
        await eventually(lambda: (self.pids(name), self.worker(name).states), lambda seen: _all_ready(seen, n))
        return self.pids(name)

    def apply(self, *workers: Worker) -> None:
        self.config = msgspec.structs.replace(self.config, workers={worker.name: worker for worker in workers})
        self.pools.apply(self.config)

    def named(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.events if name == event]

    def log(self, replica: str) -> list[str]:
        return [event["line"] for event in self.named("replica_log") if event["replica"] == replica]

    async def exited(self, n: int = 1, *, within_s: float = 10.0) -> list[tuple[str, bool, str]]:
        return await eventually(lambda: list(self.exits), lambda exits: len(exits) >= n, within_s=within_s)


def _all_ready(seen: tuple[dict[str, int], dict[str, int]], n: int) -> bool:
    pids, states = seen
    return len(pids) == n and set(states) <= {"ready"}


def quick(**changes: Any) -> Limits:
    return dataclasses.replace(QUICK, **changes)


def send_signal(pid: int, number: signal.Signals) -> None:
    os.kill(pid, number)


def is_running(pid: int) -> bool:
    """Tell whether `pid` is a process that is not a zombie."""
    return _stat(pid)[0] not in {"", "Z"}


def children(pid: int) -> list[int]:
    """Return the children of `pid`, living or zombies."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [child for child in pids if _stat(child)[1] == str(pid)]


def zombies() -> list[int]:
    """Return the zombie children of this process."""
    return [pid for pid in children(os.getpid()) if not is_running(pid)]


def _stat(pid: int) -> tuple[str, str]:
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "", ""
    return state, parent
