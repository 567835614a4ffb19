"""The guide's workers together, at the guide's sizes: jobs per second, CPU per request, memory, 429s.

Simulator: 80 ms median lognormal latency (sigma 0.4), 75 % of characters valid, pets 0-1,128. Load: every
character of the world waits (36,000 unknown ones, far more than can run, so the members that rosters
propose are duplicates), guilds and items are offered at a fixed rate; five OSINT keys and one DMA key
at 100/s, hour lifted. All guilds are known beforehand, so that only the offered ones run; the profile
pool stands but is paused, because its jobs are no part of the load.
"""

import argparse
import math
import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, World, gatherer, scratch, simulator
from supervisor.cli.plan import costs_of
from supervisor.settings.plan import plan
from supervisor.settings.reading import load as load_config

GUILDS_PER_S, ITEMS_PER_S = 16, 22
BARS = {"production": (95.0, 15.0, 20.0), "development": (50.0, 8.0, 8.0)}
CPU_MS_PER_REQUEST = 1.3
USS_MB = 12.0
WORLD = ["--realms", "24", "--characters-per-realm", "5000", "--valid", "0.75", "--per-hour", "off"]
LATENCY = ["--latency-median", "0.08", "--latency-sigma", "0.4"]
LATENCY_MEAN_S = 0.08 * math.exp(0.4**2 / 2)
PLAN_OFF_PERCENT = 10.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench pipeline")
    parser.add_argument("--preset", choices=sorted(BARS), default="production")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=10.0)
    options = parser.parse_args(arguments)
    with scratch() as folder, simulator(folder, CLIENTS, [*WORLD, *LATENCY]) as world:
        return measure(folder, world, options)


def measure(folder: Path, world: World, options: argparse.Namespace) -> int:
    config = preset(options.preset, world.base_url, world.token_url, paused=("profile", "auctions"))
    span = options.seconds + options.warm_up
    characters = world.entities("characters", 40_000)
    guilds = world.entities("guilds", int(span * GUILDS_PER_S * 1.2) + 50)
    with gatherer(folder, config):
        pass
    know_guilds(folder, world.entities("guilds", 100_000))
    with gatherer(folder, config) as system:
        system.enqueue("characters", characters)
        load = Load(system, guilds, options)
        load.offered["characters"] |= set(characters)
        load.run()
        counts = system.daemon.get("/workers")
        system.stop()
        return judge(options, load, system, world, counts)


def know_guilds(folder: Path, guilds: list[str]) -> None:
    """Write the guilds' bare rows, so that no character proposes one."""
    connection = sqlite3.connect(folder / "state" / "gatherer.db")
    rows = [(*guild.split("/"), 0.0) for guild in guilds]
    with connection:
        connection.executemany("INSERT INTO guilds (region, realm, name, last_attempt_at) VALUES (?, ?, ?, ?)", rows)
    connection.close()


class Load:
    """Offer guilds and items second by second, and sample."""

    def __init__(self, system: System, guilds: list[str], options: argparse.Namespace) -> None:
        self.system, self.guilds, self.options = system, guilds, options
        self.items = [f"eu/{n}" for n in range(1, 10_000)]
        self.offered: dict[str, set[str]] = {"characters": set(), "guilds": set(), "items": set()}
        self.samples: list[tuple[float, dict[str, Any]]] = []
        self.cpu: list[dict[str, float]] = []
        self.uss: dict[str, float] = {}
        self.began = self.ended = 0.0
        self.predicted: dict[str, float] = {}

    def run(self) -> None:
        started = time.monotonic()
        seconds = int(self.options.warm_up + self.options.seconds)
        for second in range(seconds):
            if second == int(self.options.warm_up):
                self.predicted = predict(self.system)
                self.began, self.before = time.time(), self.system.cpu_s()
            self.offer(second)
            self.samples.append((second, self.system.daemon.get("/workers")))
            time.sleep(max(0.0, started + second + 1 - time.monotonic()))
        self.ended, self.after = time.time(), self.system.cpu_s()
        self.uss = self.system.uss_mb()

    def offer(self, second: int) -> None:
        for worker, entities, per_s in (("guilds", self.guilds, GUILDS_PER_S), ("items", self.items, ITEMS_PER_S)):
            now = entities[second * per_s : (second + 1) * per_s]
            self.system.enqueue(worker, now)
            self.offered[worker] |= set(now)


def predict(system: System) -> dict[str, float]:
    """Return {worker: jobs per second} of `gatherer plan` with what the warm-up measured and what is offered."""
    config = load_config(system.folder / "config.toml", environment={})
    costs = costs_of(config, system.daemon.get("/workers")["workers"], LATENCY_MEAN_S)
    for worker, offered_per_s in (("guilds", GUILDS_PER_S), ("items", ITEMS_PER_S), ("index", 0)):
        costs[worker] = msgspec.structs.replace(costs[worker], offered_per_s=float(offered_per_s))
    return {worker.name: worker.burst_per_s for worker in plan(config, costs).workers}


def judge(options: argparse.Namespace, load: Load, system: System, world: World, last: dict[str, Any]) -> int:
    report = Report(f"pipeline-{options.preset}")
    seconds = load.ended - load.began
    finished = dict(
        system.query(
            "SELECT kind, count(*) FROM jobs WHERE state = 'completed' AND finished_at BETWEEN ? AND ? GROUP BY kind",
            load.began,
            load.ended,
        )
    )
    for worker, bar in zip(("characters", "guilds", "items"), BARS[options.preset], strict=True):
        per_s = finished.get(worker, 0) / seconds
        report.add(f"{worker} per second", per_s, at_least=bar)
        predicted = load.predicted[worker]
        report.add(f"{worker} per second, by plan", predicted)
        report.add(f"{worker}, plan off by, %", 100.0 * abs(predicted / max(per_s, 1e-9) - 1), at_most=PLAN_OFF_PERCENT)
    statistics = world.statistics()
    refused = sum(client["by_status"].get("429", 0) for client in statistics["clients"].values())
    report.add("429s by the simulator's count", refused, at_most=0)
    lost_and_twice(report, system, statistics, load)
    requests = system.query("SELECT sum(requests) FROM jobs WHERE finished_at BETWEEN ? AND ?", load.began, load.ended)[
        0
    ][0]
    report.add("requests per second", requests / seconds)
    cpu = sum(load.after.values()) - sum(load.before.get(name, 0.0) for name in load.after)
    report.add("CPU ms per request", 1000.0 * cpu / requests, at_most=CPU_MS_PER_REQUEST)
    replicas = [mb for name, mb in load.uss.items() if "#" in name]
    report.add("largest replica USS, MB", max(replicas), at_most=USS_MB)
    report.add("all private memory, MB", sum(load.uss.values()))
    by_role: dict[str, float] = {}
    for name, used in load.after.items():
        role = name.split("/")[0].split("#")[0]
        by_role[role] = by_role.get(role, 0.0) + 1000.0 * (used - load.before.get(name, 0.0)) / requests
    report.details = {
        "cpu_ms_per_request": by_role,
        "uss_mb": load.uss,
        "workers": last["workers"],
        "keys": last["keys"],
    }
    for role, each in sorted(by_role.items(), key=lambda pair: -pair[1]):
        print(f"  CPU ms per request in {role:12} {each:.3f}")
    return report.finish(series(load), "jobs per second")


def lost_and_twice(report: Report, system: System, statistics: dict[str, Any], load: Load) -> None:
    """Every entity offered stands in the table; the simulator saw one status request per character that ran."""
    missing = 0
    for worker, offered in load.offered.items():
        rows = system.query("SELECT entity FROM jobs WHERE kind = ?", worker)
        missing += len(offered - {entity for (entity,) in rows})
    report.add("jobs offered", sum(len(offered) for offered in load.offered.values()))
    report.add("jobs lost", missing, at_most=0)
    ran = system.query("SELECT count(*) FROM jobs WHERE kind = 'characters' AND requests > 0")[0][0]
    asked = sum(count for status, count in statistics["endpoints"]["character-status"].items())
    report.add("characters run twice", asked - ran, at_most=0)
    bad = system.query("SELECT count(*) FROM jobs WHERE attempt > 0 OR error <> ''")[0][0]
    report.add("jobs that needed another attempt", bad)


def series(load: Load) -> dict[str, list[tuple[float, float]]]:
    """Return finished jobs per second over time, by worker."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for worker in ("characters", "guilds", "items"):
        totals = [
            (second, sum(sample["workers"][worker]["since_start"]["outcomes"].values()))
            for second, sample in load.samples
        ]
        lines[worker] = [(b[0], b[1] - a[1]) for a, b in zip(totals, totals[1:], strict=False)]
    return lines
