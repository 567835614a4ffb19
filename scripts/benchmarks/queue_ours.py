"""Gatherer as a contender of `scripts/bench queue`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomli_w

from scripts.benchmarks.deeds import PACKAGES
from scripts.benchmarks.queue_round import BATCH, SINGLE, Contender, Run, Shape
from scripts.benchmarks.system import System, gatherer

JOBS = 60_000


def ours() -> Contender:
    return Contender("Gatherer", "A", (BATCH, SINGLE), _gatherer, JOBS)


class _Gatherer:
    def __init__(self, system: System) -> None:
        self._system = system
        self._file = sqlite3.connect(f"file:{system.folder}/state/gatherer.db?mode=ro", uri=True)

    def go(self) -> None:
        self._system.daemon.post("/workers/noops/resume")

    def finished(self) -> int:
        found = self._file.execute("SELECT count(*) FROM jobs WHERE state = 'completed' AND finished_at > 0")
        return int(found.fetchone()[0])

    def cpu_s(self) -> dict[str, float]:
        used: dict[str, float] = {}
        for name, seconds in self._system.cpu_s().items():
            role = "replicas" if "#" in name else name.partition("/")[0]
            used[role] = used.get(role, 0.0) + seconds
        return used


@contextmanager
def _gatherer(folder: Path, shape: Shape) -> Iterator[Run]:
    with gatherer(folder, configuration(shape)) as system:
        system.enqueue("noops", [f"n{number}" for number in range(JOBS)])
        yield _Gatherer(system)


def configuration(shape: Shape) -> str:
    """Return what a user would write for an API without limits and jobs that do not even ask it."""
    worker = {"job": "noops.noops", "path": str(PACKAGES), "tag": "nobody", "paused": True}
    settings: dict[str, Any] = {
        "state_dir": "state",
        "run_dir": "run",
        "server": {"listen": "127.0.0.1:0"},
        "apis": {"nobody": {"auth": "none", "windows": [{"requests": 1_000_000, "per": "1s"}]}},
        "keys": [{"name": "nobody", "api": "nobody", "tags": ["nobody"]}],
        "workers": {"noops": worker | {"replicas": shape.processes, "concurrency": shape.at_once}},
    }
    return tomli_w.dumps(settings)
