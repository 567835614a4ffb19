"""No 429 whatever breaks: 32 replicas on two keys, everything through a bad network, for minutes.

Every second something happens (see `chaos`): replicas are killed or stopped, pieces are late, lost, cut or held.
Every half minute the supervisor is killed and started in the same second, every fourth time drained instead. The
simulated API counts on arrival and keeps the moment of each request; the audit counts those once more, by itself.
Both limits bind: the second all the time, the hour (75 requests for each second of the run) at the end.
"""

import argparse
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import tomli_w

from scripts.benchmarks.chaos import Chaos
from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, World, gatherer, scratch, simulator
from tests.support.proxy import Proxy, proxy

KEYS = 2
PER_SECOND = 100
HOUR_PER_SECOND_OF_RUN = 75
REPLICAS = {"osint": 8, "dma": 3, "index": 2}  # of 3, 2 and 1 workers: 32
TURN_EVERY_S = 1.0
RESTART_EVERY_S = 30.0
CLEAN_EVERY = 4
FIRST_PERMIT_S = 4.0
GONE_S = 1.0
WORLD = ["--latency-median", "0.04", "--latency-sigma", "0.4", "--auctions", "500", "--commodities", "2000"]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench manners", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    seconds = options.minutes * 60
    hour = int(seconds * HOUR_PER_SECOND_OF_RUN)
    with scratch() as folder, bad_network(folder, per_hour=hour, seed=options.seed) as (world, way):
        with gatherer(folder, configuration(world, way, per_hour=hour)) as system:
            enqueue_plenty(system, world, int(seconds))
            chaos = Chaos(system, way, Random(options.seed))
            began = time.monotonic()
            keep_breaking(chaos, began + seconds)
            ended = time.monotonic()
        return judge(world, way, chaos, began=began, ended=ended, per_hour=hour)


@contextmanager
def bad_network(folder: Path, *, per_hour: int, seed: int = 1) -> Iterator[tuple[World, Proxy]]:
    """Run a simulator that keeps arrivals, and a proxy to it."""
    limits = ["--per-second", str(PER_SECOND), "--per-hour", str(per_hour or "off")]
    with simulator(folder, CLIENTS[:KEYS], [*WORLD, *limits, "--keep-arrivals"]) as world:
        address = urlsplit(world.base_url)
        assert address.hostname is not None
        assert address.port is not None
        with proxy(address.hostname, address.port, seed) as way:
            yield world, way


def configuration(world: World, way: Proxy, *, per_hour: int) -> str:
    """Return the production preset with 32 replicas on KEYS keys for all tags, through the proxy."""
    own, theirs = f"127.0.0.1:{way.port}", urlsplit(world.base_url).netloc
    urls = (world.base_url.replace(theirs, own), world.token_url.replace(theirs, own))
    settings = tomllib.loads(preset("production", *urls, hour="burst"))
    settings["keys"] = [key | {"tags": ["osint", "dma"]} for key in settings["keys"][:KEYS]]
    windows = [(PER_SECOND, "1s"), *([(per_hour, "1h")] if per_hour else [])]
    settings["apis"]["blizzard"]["windows"] = [{"requests": n, "per": per} for n, per in windows]
    for tag in ("osint", "dma"):
        settings["tags"][tag]["replicas"] = REPLICAS[tag]
    settings["workers"]["index"]["replicas"] = REPLICAS["index"]
    return tomli_w.dumps(settings)


def enqueue_plenty(system: System, world: World, seconds: int) -> None:
    """Have more to do than two keys allow in that time."""
    system.enqueue("characters", world.entities("characters", min(60_000, 500 + 60 * seconds)))
    system.enqueue("guilds", world.entities("guilds", min(5_000, 100 + 10 * seconds)))
    system.enqueue("items", [f"eu/{n}" for n in range(1, min(10_000, 100 + 20 * seconds))])


def keep_breaking(chaos: Chaos, until: float) -> None:
    """Break something each second, and the supervisor each half minute."""
    restart_at = time.monotonic() + RESTART_EVERY_S
    restarts = 0
    while time.monotonic() < until:
        time.sleep(TURN_EVERY_S)
        chaos.turn()
        if time.monotonic() > restart_at:
            restarts += 1
            (chaos.restart if restarts % CLEAN_EVERY == 0 else chaos.crash)()
            restart_at = time.monotonic() + RESTART_EVERY_S


def judge(world: World, way: Proxy, chaos: Chaos, *, began: float, ended: float, per_hour: int) -> int:
    statistics = world.statistics()
    arrivals = world.arrivals()
    seconds = ended - began
    report = Report("manners")
    requests = sum(len(moments) for moments in arrivals.values())
    report.add("seconds", seconds)
    report.add("requests", requests)
    report.add("429s by the simulator's count", refused(statistics), at_most=0)
    report.add("most requests of a key in any second", most(arrivals, 1.0), at_most=PER_SECOND)
    report.add("most requests of a key in any hour", most(arrivals, 3600.0), at_most=per_hour)
    allowed = KEYS * min(PER_SECOND * seconds, per_hour)
    report.add("share of what the limits allow, used", requests / allowed)
    report.add(
        "crash: worst seconds to the first permit", max(chaos.after_crash_s, default=0.0), at_most=FIRST_PERMIT_S
    )
    report.add("crash: worst seconds until all are gone", max(chaos.gone_after_s, default=0.0), at_most=GONE_S)
    report.add("clean restart: worst seconds to the first permit", max(chaos.after_restart_s, default=0.0))
    report.details = {"done": chaos.done, "network": way.done, "statistics": statistics}
    for name, count in sorted((chaos.done | way.done).items()):
        report.add(name, count)
    return report.finish(per_second(arrivals, began), "requests per second")


def refused(statistics: dict[str, Any]) -> int:
    """Return the requests that were over a limit, by the simulator's count."""
    clients = statistics["clients"].values()
    return sum(client["refused_second"] + client["refused_hour"] for client in clients)


def most(arrivals: dict[str, list[float]], span_s: float) -> int:
    """Return the most requests of one client in any span of that length (half open, as the limits count)."""
    return max((_most(moments, span_s) for moments in arrivals.values()), default=0)


def _most(moments: list[float], span_s: float) -> int:
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - span_s:
            first += 1
        most = max(most, last + 1 - first)
    return most


def per_second(arrivals: dict[str, list[float]], began: float) -> dict[str, list[tuple[float, float]]]:
    """Return each client's requests per second over time."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for client, moments in arrivals.items():
        counts: dict[int, int] = {}
        for moment in moments:
            counts[int(moment - began)] = counts.get(int(moment - began), 0) + 1
        lines[client] = [(second, counts.get(second, 0)) for second in range(max(counts, default=0))]
    return lines
