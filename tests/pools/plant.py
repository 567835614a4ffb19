"""A plant for autoscale, in arithmetic: slots, keys and a queue, without processes."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from supervisor.core.events import Events
from supervisor.pools.autoscaler import LOOK_EVERY_S, Autoscaler
from supervisor.pools.looks import Look
from supervisor.settings.config import AUTO, Autoscale, Config, Log, Server, Worker
from supervisor.settings.overrides import Overrides
from tests.support.clock import FakeClock


@dataclass
class FakePlant:
    """One worker. per_s: what the keys allow. job_s: how long a slot needs. most_per_s: what the machine can do."""

    clock: FakeClock
    random: Random
    per_s: float = 40.0
    job_s: float = 0.5
    replicas: int = 2
    most_per_s: float = 1e9
    waiting: int = 100_000
    spent: str = "second"
    noise: float = 0.1
    refused_share: float = 0.0
    failed_share: float = 0.0
    database_slow: bool = False
    concurrency: int | None = None
    granted: float = 0.0
    refused: float = 0.0
    failed: float = 0.0
    looked_at: float = field(default=0.0)

    @property
    def slots(self) -> int:
        return (self.concurrency or 0) * self.replicas

    def throughput(self) -> float:
        return min(self.slots / self.job_s, self.per_s, self.most_per_s) if self.waiting else 0.0

    def look(self, worker: str) -> Look:
        now = self.clock.monotonic()
        done = self.throughput() * min(1.0, now - self.looked_at)
        self.looked_at = now
        self.granted += done
        self.refused += done * self.refused_share
        self.failed += done * self.failed_share
        needed = self.per_s * self.job_s * self.random.uniform(1 - self.noise, 1 + self.noise)
        held = max(0, round(self.slots - needed)) if self.waiting else 0
        return Look(
            waiting=self.waiting,
            held=held,
            held_by=self.spent if held else "",
            has_room=self.waiting > 0 and not held,
            granted=int(self.granted),
            refused=int(self.refused),
            failed=int(self.failed),
            database_slow=self.database_slow,
        )

    def ready_replicas(self, worker: str) -> int:
        return self.replicas

    def set_concurrency(self, worker: str, concurrency: int | None) -> None:
        self.concurrency = concurrency


class Stand:
    """An autoscaler on a fake plant, with its clock, events and the folder of its overrides."""

    overrides: Overrides

    def __init__(self, folder: Path, *, bounds: Autoscale = AUTO, seed: int = 0, **settings: Any) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.plant = FakePlant(self.clock, Random(seed))
        self.moves: list[tuple[float, int, int, str]] = []
        self.noted: list[dict[str, Any]] = []
        self.start(config_of(bounds=bounds, **settings))

    def start(self, config: Config) -> None:
        """Begin, or begin again as after a restart of the supervisor."""
        events = Events()
        events.subscribe(self._event)
        if hasattr(self, "overrides"):
            self.overrides.save()
        self.overrides = Overrides(self.folder)
        self.scaler = Autoscaler(
            config=config, clock=self.clock, events=events, overrides=self.overrides, plant=self.plant
        )

    def _event(self, name: str, fields: dict[str, Any]) -> None:
        self.noted.append({"event": name} | fields)
        if name == "concurrency_moved":
            self.moves.append((self.clock.monotonic(), fields["before"], fields["after"], fields["cause"]))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / LOOK_EVERY_S)):
            self.clock.set(self.clock.monotonic() + LOOK_EVERY_S)
            self.scaler.run_once()

    @property
    def why(self) -> str:
        return self.scaler.statistics()["characters"].note


def config_of(*, bounds: Autoscale | None, pinned: dict[str, str] | None = None, **worker: Any) -> Config:
    low = bounds.min if bounds is not None else 1
    settings = {"name": "characters", "job": "jobs.characters", "tag": "osint", "concurrency": low, "replicas": 2}
    return Config(
        path=None, sha256="", state_dir=Path("var"), run_dir=Path("var/run"), server=Server(), apis={}, keys=(),
        workers={"characters": Worker(**{**settings, **worker}, autoscale=bounds)},
        schedules={}, freshness={}, retention_s={}, min_free_bytes=0, log=Log(), pinned=pinned or {},
    )  # fmt: skip  # nothing of it matters here but the worker
