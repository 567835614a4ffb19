"""What a run costs on the machine, and how much of the machine others took meanwhile."""

import os
import threading
import time
from pathlib import Path

import psutil

from scripts.benchmarks.system import System, World, name_of

SAMPLE_EVERY_S = 0.05


def take_cores() -> None:
    """Run this process and those that it starts before everything else on a shared machine; needs root."""
    # Round robin, so that they share fairly what they take.
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))


def cpu_by_role(system: System, world: World) -> dict[str, float]:
    """Return CPU seconds so far by role; "foreign" = used on this machine by what is no part of this run."""
    used: dict[str, float] = {}
    for name, cpu_s in system.cpu_s().items():
        role = name.partition("/")[0].partition("#")[0]
        used[role] = used.get(role, 0.0) + cpu_s
    for role, pid in (("simulator", world.pid), ("benchmark", os.getpid())):
        times = psutil.Process(pid).cpu_times()
        used[role] = times.user + times.system
    machine = psutil.cpu_times()
    return used | {"foreign": machine.user + machine.system + machine.steal - sum(used.values()), "idle": machine.idle}


def core_wait_s(system: System, roles: tuple[str, ...]) -> float:
    """Return the seconds so far that threads of these roles were ready to run and had no core."""
    waited_ns = 0
    for process in system.processes():
        if name_of(process).startswith(roles):
            for task in Path(f"/proc/{process.pid}/task").iterdir():
                waited_ns += int((task / "schedstat").read_text().split()[1])
    return waited_ns / 1e9


class Memory:
    """Private memory of a worker's replicas over time. samples: (wall seconds, MB of the largest)."""

    def __init__(self, system: System, worker: str) -> None:
        self._replicas = [each for each in system.processes() if name_of(each).startswith(f"{worker}#")]
        self.samples: list[tuple[float, float]] = []

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(SAMPLE_EVERY_S):
            # Counting private pages is dear: only those of the one that has a body.
            largest = max(self._replicas, key=lambda process: process.memory_info().rss)
            self.samples.append((time.time(), largest.memory_full_info().uss / 1e6))
