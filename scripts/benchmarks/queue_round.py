"""One round of `scripts/bench queue`: let a contender's jobs go, and watch its store from outside."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

SECONDS = 5.0
FIRST_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Shape:
    """How many processes, and how many jobs each of them has in hand at most."""

    name: str
    processes: int
    at_once: int


BATCH = Shape("batch", processes=2, at_once=64)
SINGLE = Shape("single", processes=30, at_once=1)


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one. cpu_ms: of a job, by kind of process. others: cores that no part of this run used."""

    jobs_per_s: float
    cpu_ms: dict[str, float]
    others: float


class Run(Protocol):
    """A contender whose jobs all wait and whose workers are ready."""

    def go(self) -> None:
        """Let the workers begin."""
        ...

    def finished(self) -> int:
        """Return how many jobs the store says are finished."""
        ...

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds so far by kind of process."""
        ...


@dataclass(frozen=True)
class Contender:
    """One system in one class of durability.

    ready: set up `jobs` waiting jobs, and workers that stand; `Run.go` starts them.
    """

    name: str
    durability: str
    shapes: tuple[Shape, ...]
    ready: Callable[[Path, Shape], AbstractContextManager[Run]]
    jobs: int


def watch(run: Run, jobs: int) -> Round:
    """Let it go, and measure between the first look that finds finished jobs and the last."""
    run.go()
    began_with = _first(run)
    began, used, others = time.monotonic(), run.cpu_s(), _machine_s()
    done = began_with
    while done < jobs and time.monotonic() < began + SECONDS:
        time.sleep(LOOK_EVERY_S)
        done = run.finished()
    seconds = time.monotonic() - began
    n = max(1, done - began_with)
    costs = {role: spent - used.get(role, 0.0) for role, spent in run.cpu_s().items()}
    foreign = _machine_s() - others - sum(costs.values())
    return Round(n / seconds, {role: 1000 * cost / n for role, cost in costs.items()}, foreign / seconds)


def _first(run: Run) -> int:
    deadline = time.monotonic() + FIRST_WITHIN_S
    while not (done := run.finished()):
        if time.monotonic() > deadline:
            raise SystemExit(f"no job is finished after {FIRST_WITHIN_S:g} s")
        time.sleep(0.005)
    return done


def _machine_s() -> float:
    """Return the CPU seconds that all of the machine has used, this process aside."""
    machine, own = psutil.cpu_times(), psutil.Process().cpu_times()
    return float(machine.user + machine.system + machine.steal - own.user - own.system)
