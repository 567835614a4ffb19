"""A snapshot of a program with one worker and one key, to be changed by tests."""

from pathlib import Path
from typing import Any

from supervisor.control.measurements import Measurements
from supervisor.control.snapshot import Reload, Snapshot
from supervisor.core.histogram import Histogram
from supervisor.core.messages.supervisor_database import Pulse
from supervisor.database.statistics import DatabaseStatistics
from supervisor.limiter.fairness import WAIT_BOUNDS_S
from supervisor.limiter.statistics import KeyStatistics, LimiterStatistics, PermitStatistics, WindowStatistics
from supervisor.pools.statistics import AutoscaleStatistics, PoolsStatistics, ReplicaStatistics, WorkerStatistics
from supervisor.settings.config import Api, Config, Key, Log, Secret, Server, Worker
from tests.support.clock import FakeClock

SECRET = "hunter2-is-the-secret"


def config_of(**worker: Any) -> Config:
    settings: dict[str, Any] = {
        "name": "characters",
        "job": "jobs.characters",
        "tag": "osint",
        "concurrency": 2,
        "replicas": 5,
        "target_per_s": 50.0,
    }
    return Config(
        path=Path("config.toml"),
        sha256="",
        state_dir=Path("var"),
        run_dir=Path("var/run"),
        server=Server(),
        apis={"blizzard": Api(name="blizzard")},
        keys=(Key(name="osint-1", api="blizzard", tags=("osint",), client_id="id", secret=Secret(SECRET)),),
        workers={"characters": Worker(**settings | worker)},
        schedules={},
        freshness={},
        retention_s={},
        min_free_bytes=0,
        log=Log(),
    )


def key_of(**more: Any) -> KeyStatistics:
    second = WindowStatistics(used=40, limit=100, per_s=1.0, left=60, frees_in_s=0.0)
    hour = WindowStatistics(used=9000, limit=36_000, per_s=3600.0, left=27_000, frees_in_s=0.0)
    settings: dict[str, Any] = {
        "name": "osint-1",
        "api": "blizzard",
        "tags": ("osint",),
        "state": "ok",
        "reason": "",
        "windows": (second, hour),
        "in_flight": 3,
        "parked_for_s": 0.0,
        "granted": 9000,
        "statuses": {"characters": {"200": 8990, "404": 7, "unknown": 3}},
        "origin": "new",
    }
    return KeyStatistics(**settings | more)


def permits_of(limited_by: str = "", *, is_kept_waiting: bool = False) -> PermitStatistics:
    waits = Histogram(WAIT_BOUNDS_S)
    waits.observe(0.02)
    return PermitStatistics(
        waiting_starts=4,
        waiting_requests=2,
        limited_by=limited_by,
        is_kept_waiting=is_kept_waiting,
        waits=waits.statistics(),
        request_waits=waits.statistics(),
        round_trips=waits.statistics(),
    )


def pool_of(**more: Any) -> WorkerStatistics:
    replica = ReplicaStatistics(name="characters#1", pid=101, state="ready", since_s=9.0, executing=2)
    settings: dict[str, Any] = {
        "worker": "characters",
        "desired_replicas": 5,
        "desired_concurrency": 2,
        "effective_replicas": 4,
        "effective_concurrency": 2,
        "paused": False,
        "states": {"ready": 4, "starting": 1},
        "executing": 8,
        "restarts": {"crashed": 1},
        "degraded": False,
        "refused": False,
        "last_exit": "signal 9",
        "replicas": (replica,),
    }
    return WorkerStatistics(**settings | more)


def moved_of(**more: Any) -> AutoscaleStatistics:
    settings: dict[str, Any] = {
        "concurrency": 7,
        "written": "auto",
        "min": 1,
        "max": 32,
        "who": "autoscale",
        "why": "1,240 jobs wait and the keys have room",
        "since": 1_699_999_940.0,
        "note": "every permit finds a slot",
        "alerts": ("Backlog",),
        "moves": {"wanted": 3},
    }
    return AutoscaleStatistics(**settings | more)


def snapshot_of(clock: FakeClock, **more: Any) -> Snapshot:
    counts = {"characters": {"available": [0, 4, 1200], "executing": [1, 0, 7], "discarded": [0, 0, 3]}}
    pulse = Pulse(counts, {"characters": 12.5}, 0.004, 2, 990)
    settings: dict[str, Any] = {
        "now": clock.wall(),
        "started_at": clock.wall() - 90,
        "pid": 100,
        "config": config_of(),
        "generation": 3,
        "reload": Reload(at=clock.wall() - 60),
        "reasons_not_ready": [],
        "limiter": LimiterStatistics(keys=(key_of(),), workers={"characters": permits_of()}, permits_out=3),
        "pools": PoolsStatistics(
            workers={"characters": pool_of()}, zygote_pids=(102,), zygote_generation=1, zygote_deaths=0
        ),
        "database": DatabaseStatistics(
            state="ready", reason="", pid=103, sqlite="3.40.1", restarts=0, pulse=pulse, waiting=None, unsettled_exits=0
        ),
        "measurements": Measurements(clock),
        "memory": {100: 50_000_000, 101: 20_000_000, 102: 30_000_000, 103: 10_000_000},
    }
    return Snapshot(**settings | more)
