"""What scripts/build made: size, start, 40 working replicas, and the development preset on one core and 512 MB.

The memory of 40 replicas is the proportional set size (PSS) of all 40 and their zygote after 20 s of work. One core is
taskset; 512 MB is a memory cgroup (version 1) where this machine lets us make one, else only PSS is compared.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, World, gatherer, name_of, scratch, simulator
from supervisor.core.errors import GathererError

FILE = Path("dist/gatherer").absolute()
WORLD = ["--realms", "12", "--characters-per-realm", "2000", "--latency-median", "0.08", "--per-hour", "off"]
REPLICAS = {"characters": 16, "guilds": 8, "profile": 8, "items": 4, "auctions": 3, "index": 1}
WORK_S = 20.0
FEW_STARTS = 5
TURN_S = 0.02
SMALL_BYTES = 512 * 1024 * 1024
CGROUPS = Path("/sys/fs/cgroup/memory")


def main(arguments: list[str]) -> int:
    argparse.ArgumentParser(prog="scripts/bench package", description=__doc__).parse_args(arguments)
    subprocess.run(["scripts/build"], check=True)
    report = Report("package")
    report.add("dist/gatherer, MB", FILE.stat().st_size / 1e6, at_most=40)
    report.add("Debian package, MB", next(FILE.parent.glob("*.deb")).stat().st_size / 1e6)
    versions = sorted(seconds_of([str(FILE), "--version"]) for _ in range(11))
    report.add("--version, s (median of 11, warm)", versions[5], at_most=0.3)
    with scratch() as folder, simulator(folder, CLIENTS, WORLD) as world:
        for name, measure in (("few", few), ("many", many), ("small", small)):
            (folder / name).mkdir()
            measure(folder / name, world, report)
    return report.finish()


def seconds_of(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def few(folder: Path, world: World, report: Report) -> None:
    """One replica of each worker: from exec until /readyz says yes, median of FEW_STARTS."""
    config = preset("development", world.base_url, world.token_url)
    config = with_replicas(config, dict.fromkeys(REPLICAS, 1))
    starts = []
    for _ in range(FEW_STARTS):
        started = time.perf_counter()
        with gatherer(folder, config, ready=False, program=[str(FILE)]) as system:
            wait(lambda: system.daemon.get("/readyz")["ready"])  # called before the next turn
            starts.append(time.perf_counter() - started)
    report.details["supervisor ready, each, s"] = starts
    report.add("supervisor ready, s (median of 5)", sorted(starts)[FEW_STARTS // 2], at_most=2.0)


def many(folder: Path, world: World, report: Report) -> None:
    """40 replicas: ready, then working."""
    config = with_replicas(preset("production", world.base_url, world.token_url), REPLICAS)
    started = time.perf_counter()
    with gatherer(folder, config, ready=False, program=[str(FILE)]) as system:
        wait(lambda: ready_replicas(system) == sum(REPLICAS.values()))
        report.add("40 replicas ready, s", time.perf_counter() - started, at_most=3.0)
        work(system, world)
        memory = pss_mb(system)
        replicas = sum(size for name, size in memory.items() if "#" in name or name.startswith("zygote"))
        report.add("40 working replicas and zygote, PSS MB", replicas, at_most=450)
        report.add("all processes, PSS MB", sum(memory.values()))


def small(folder: Path, world: World, report: Report) -> None:
    """The development preset on one core, within 512 MB if a cgroup can be had."""
    config = preset("development", world.base_url, world.token_url)
    with cgroup() as prefix:
        with gatherer(folder, config, program=[*prefix, "taskset", "--cpu-list", "0", str(FILE)]) as system:
            done = work(system, world)
            report.add("one core: jobs/s", done / WORK_S, at_least=1.0)
            report.add("one core: all processes, PSS MB", sum(pss_mb(system).values()), at_most=SMALL_BYTES / 1e6)
        if prefix:
            peak = int((CGROUPS / cgroup_name() / "memory.max_usage_in_bytes").read_text())
            kills = (CGROUPS / cgroup_name() / "memory.oom_control").read_text().split()[-1]
            report.add("one core, 512 MB: peak with page cache, MB", peak / 1e6)
            report.add("one core, 512 MB: processes killed for memory", float(kills), at_most=0)


def work(system: System, world: World) -> int:
    """Have every kind of job done for WORK_S; return how many were."""
    system.enqueue("characters", world.entities("characters", 10_000))
    system.enqueue("guilds", world.entities("guilds", 500))
    system.enqueue("items", [f"eu/{number}" for number in range(1, 2000)])
    time.sleep(WORK_S)
    return sum(count for (count,) in system.query("SELECT count(*) FROM jobs WHERE state = 'completed'"))


def ready_replicas(system: System) -> int:
    workers = system.daemon.get("/workers")["workers"].values()
    return sum(worker["effective"]["replicas"] for worker in workers)


def pss_mb(system: System) -> dict[str, float]:
    sizes = {}
    for process in system.processes():
        try:
            sizes[f"{name_of(process)}/{process.pid}"] = process.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            continue
    return sizes


def wait(look: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.perf_counter() + within_s
    while time.perf_counter() < deadline:
        try:
            if look():
                return
        except GathererError:
            pass
        time.sleep(TURN_S)
    raise SystemExit("not ready in time")


def with_replicas(config: str, replicas: dict[str, int]) -> str:
    """Set the replicas of each worker in the preset's text."""
    for worker, count in replicas.items():
        config = config.replace(f"[workers.{worker}]\n", f"[workers.{worker}]\nreplicas = {count}\n")
    return config


@contextmanager
def cgroup() -> Iterator[list[str]]:
    """Give the words before a command that put it into a group of SMALL_BYTES; none where that cannot be had."""
    folder = CGROUPS / cgroup_name()
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(SMALL_BYTES))
    except OSError as error:
        print(f"no memory cgroup here ({error.strerror}): 512 MB are compared with the sum of PSS only")
        yield []
        return
    try:
        yield ["sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "sh"]
    finally:
        wait(lambda: not (folder / "cgroup.procs").read_text())
        folder.rmdir()


def cgroup_name() -> str:
    return f"gatherer-bench-{os.getpid()}"
