"""What a sweep over known, unchanged characters costs: requests per character by the simulator's count.

1. first pass: unknown characters are read in full, with an eighth of them denied (not in the second pass)
2. the world stands still: its clock has speed 0, so nobody logs in
3. second pass: every character that is now known is enqueued again with max_age_s 0, so that age excuses no job

The pools of guilds and profiles stand but are paused: all that the simulator counts is of characters.
"""

import argparse
import time
from pathlib import Path
from typing import Any

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, World, gatherer, scratch, simulator

REQUESTS_PER_CHARACTER = 1.1
WORLD = ["--valid", "0.875", "--world-clock-speed", "0", "--per-hour", "off"]
LATENCY = ["--latency-median", "0.02", "--latency-sigma", "0.4"]
PASS_S = 180.0
TOKEN = "oauth-token"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench sweep")
    parser.add_argument("--characters", type=int, default=3000)
    options = parser.parse_args(arguments)
    with scratch() as folder, simulator(folder, CLIENTS, [*WORLD, *LATENCY]) as world:
        return measure(folder, world, options)


def measure(folder: Path, world: World, options: argparse.Namespace) -> int:
    config = preset("production", world.base_url, world.token_url, paused=("guilds", "profile"))
    with gatherer(folder, config) as system:
        first_s = run_pass(system, world.entities("characters", options.characters))
        first = answered(world)
        known = [
            f"{region}/{realm}/{name}"
            for region, realm, name in system.query(
                "SELECT region, realm, name FROM characters WHERE gone_since IS NULL"
            )
        ]
        world.post("reset")
        second_s = run_pass(system, known)
        second = answered(world)
        refused = sum(client["by_status"].get("429", 0) for client in world.statistics()["clients"].values())
        outcomes = outcomes_of_last(system, len(known))
        system.stop()
    report = Report("sweep")
    report.add("characters, first pass", options.characters)
    report.add("requests each, first pass", sum(first.values()) / options.characters)
    report.add("seconds, first pass", first_s)
    report.add("characters, second pass", len(known))
    report.add("requests each, second pass", sum(second.values()) / len(known), at_most=REQUESTS_PER_CHARACTER)
    report.add("answered skipped, share", outcomes.get("skipped", 0) / len(known), at_least=1.0)
    report.add("seconds, second pass", second_s)
    report.add("429s in the second pass", refused, at_most=0)
    report.details = {"requests": {"first": first, "second": second}, "outcomes": outcomes}
    return report.finish()


def run_pass(system: System, entities: list[str]) -> float:
    """Enqueue all and return the seconds until none is left."""
    began = time.monotonic()
    system.enqueue("characters", entities, max_age_s=0)
    while time.monotonic() < began + PASS_S:
        left = system.query(
            "SELECT sum(n) FROM job_counts WHERE kind = 'characters' AND state NOT IN ('completed', 'discarded')"
        )[0][0]
        if not left:
            return time.monotonic() - began
        time.sleep(0.1)
    raise SystemExit(f"{left} characters are left after {PASS_S:g} s; see {system.folder}/supervisor.log")


def answered(world: World) -> dict[str, int]:
    """Return the simulator's count of requests by endpoint, tokens aside."""
    endpoints: dict[str, dict[str, Any]] = world.statistics()["endpoints"]
    return {name: sum(counts.values()) for name, counts in endpoints.items() if name != TOKEN}


def outcomes_of_last(system: System, jobs: int) -> dict[str, int]:
    """Return how the newest `jobs` jobs of characters ended."""
    return dict(
        system.query(
            "SELECT coalesce(outcome, state), count(*) FROM (SELECT * FROM jobs WHERE kind = 'characters'"
            " ORDER BY id DESC LIMIT ?) GROUP BY 1",
            jobs,
        )
    )
