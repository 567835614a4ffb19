"""concurrency = "auto" from a cold start, against the best concurrency that a hand finds, at three latencies.

For each latency, on a supervisor of its own each time:
1. by hand: the file is edited from one concurrency to the next; the best requests per second of these is the bar
2. auto: an empty state, concurrency = "auto", everything waits; the rate of the last seconds within the minute

Load: unknown characters (5 requests each), more than can run; five keys at 25/s each and two replicas, so that the
keys and not this machine are the limit. All figures are the simulator's count of answers 200.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tomlkit

from scripts.benchmarks.configuration import CLIENTS, preset, with_tables_last
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, World, gatherer, scratch, simulator

# Latency in seconds → what a hand tries, around what Little's law asks for.
BY_HAND = {0.05: (1, 2, 4, 8), 0.2: (2, 4, 8, 16), 0.8: (4, 8, 16, 32)}
SETTLE_S = 3.0
MEASURE_S = 5.0
WITHIN_S = 60.0
LAST_S = 15.0
SHARE = 0.95
USE = 0.25
REPLICAS = 2
CHARACTERS = 3000
WORLD = ["--realms", "8", "--characters-per-realm", "2000", "--valid", "1", "--per-hour", "off"]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench autoscale")
    parser.add_argument("--latency", type=float, action="append", choices=sorted(BY_HAND), help="default: all")
    options = parser.parse_args(arguments)
    report = Report("autoscale")
    series: dict[str, list[tuple[float, float]]] = {}
    for latency_s in options.latency or BY_HAND:
        measure(latency_s, report, series)
    return report.finish(series, "requests per second")


def measure(latency_s: float, report: Report, series: dict[str, list[tuple[float, float]]]) -> None:
    name = f"{1000 * latency_s:.0f} ms"
    tries = BY_HAND[latency_s]
    with run(latency_s, tries[0]) as (system, world):
        rates = {concurrency: by_hand(system, world, concurrency) for concurrency in tries}
    best = max(rates.values())
    print(f"  {name} by hand: " + ", ".join(f"{c}: {rate:.0f}/s" for c, rate in rates.items()), flush=True)
    with run(latency_s, "auto") as (system, world):
        counts = cold(system, world)
        worker = system.daemon.get("/workers")["workers"]["characters"]
        refused = sum(client["by_status"].get("429", 0) for client in world.statistics()["clients"].values())
    rate = rate_between(counts, WITHIN_S - LAST_S, WITHIN_S)
    series[name] = [(b[0], (b[1] - a[1]) / (b[0] - a[0])) for a, b in zip(counts, counts[1:], strict=False)]
    report.add(f"{name}: best by hand, requests/s", best)
    report.add(f"{name}: best by hand, concurrency", min(c for c, rate in rates.items() if rate >= 0.98 * best))
    report.add(f"{name}: auto, requests/s, last {LAST_S:.0f} s of a minute", rate)
    report.add(f"{name}: auto, concurrency", worker["effective"]["concurrency"])
    report.add(f"{name}: auto, share of the best", rate / best, at_least=SHARE)
    report.add(f"{name}: auto, seconds to {SHARE:.0%}", reached(counts, SHARE * best), at_most=WITHIN_S)
    report.add(f"{name}: 429s", refused, at_most=0)
    report.details[name] = {"by hand": rates, "autoscale": worker["autoscale"], "counts": counts}


@contextmanager
def run(latency_s: float, concurrency: int | str) -> Iterator[tuple[System, World]]:
    """A world and a supervisor with everything waiting; the supervisor's first look at it is the cold start."""
    latency = ["--latency-median", str(latency_s), "--latency-sigma", "0.3"]
    with scratch() as folder, simulator(folder, CLIENTS, [*WORLD, *latency]) as world:
        characters = world.entities("characters", CHARACTERS)
        with gatherer(folder, config_of(world, concurrency, paused=True)) as system:
            system.enqueue("characters", characters)
            write(folder, config_of(world, concurrency))
            yield system, world


def config_of(world: World, concurrency: int | str, *, paused: bool = False) -> str:
    others = ("guilds", "profile", "items", "auctions") + (("characters",) if paused else ())
    document = tomlkit.parse(preset("production", world.base_url, world.token_url, paused=others)).unwrap()
    document["apis"]["blizzard"]["use"] = USE
    document["workers"]["characters"] |= {"concurrency": concurrency, "replicas": REPLICAS}
    return with_tables_last(tomlkit.dumps(document))


def write(folder: Path, text: str) -> None:
    (folder / "config.toml").write_text(text)


def by_hand(system: System, world: World, concurrency: int) -> float:
    """Edit the file, let it settle, and return requests per second."""
    write(system.folder, config_of(world, concurrency))
    time.sleep(SETTLE_S)
    began, before = time.monotonic(), answered(world)
    time.sleep(MEASURE_S)
    after = answered(world)
    return (after - before) / (time.monotonic() - began)


def cold(system: System, world: World) -> list[tuple[float, int]]:
    """Return [(seconds since the start, answers)] for a minute."""
    began = time.monotonic()
    counts: list[tuple[float, int]] = []
    while not counts or counts[-1][0] < WITHIN_S:
        counts.append((time.monotonic() - began, answered(world)))
        time.sleep(1.0)
    return counts


def answered(world: World) -> int:
    return sum(client["by_status"].get("200", 0) for client in world.statistics()["clients"].values())


def rate_between(counts: list[tuple[float, int]], start: float, end: float) -> float:
    inside = [count for count in counts if start <= count[0] <= end + 1.0]
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def reached(counts: list[tuple[float, int]], rate: float, over_s: float = 5.0) -> float:
    """Return the seconds until the rate of the last `over_s` was first as high; inf when it never was."""
    for at, count in counts:
        earlier = [each for each in counts if each[0] <= at - over_s]
        if earlier and (count - earlier[-1][1]) / (at - earlier[-1][0]) >= rate:
            return at
    return float("inf")
