"""From an edit of config.toml to its effect, under load; 100 edits in a row; 200 broken ones; circus beside it.

    sizes    concurrency and replicas of characters, to and fro, with every slot busy
    edits    random edits at half load: nothing lost, run twice or answered 429; pools that no edit names
             keep their processes and their throughput
    broken   truncated, wrong, unknown, empty, deleted: no pool notices, and each is named with file and line
    circus   the same edits of sizes, with as many processes under circus (needs the extra "bench")

The development preset against the simulator, 80 ms median latency. `--part` runs one of the four.
"""

import argparse
import random
import re
import statistics
import time
from pathlib import Path
from typing import Any

from scripts.benchmarks import rescale_circus
from scripts.benchmarks.breaking import Broken, broken_edits
from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.pipeline import know_guilds
from scripts.benchmarks.report import Report
from scripts.benchmarks.rescaling import (
    Bystanders,
    Editor,
    Offer,
    any_edit,
    finished,
    is_sized,
    killed_at_work,
    logged,
    look,
    pids,
    until,
)
from scripts.benchmarks.system import System, World, gatherer, scratch, simulator

PARTS = ("sizes", "edits", "broken", "circus")
CONCURRENCY_S, GROW_S = 0.3, 1.0
WORLD = ["--realms", "24", "--characters-per-realm", "2000", "--valid", "0.75", "--per-hour", "off"]
LATENCY = ["--latency-median", "0.08", "--latency-sigma", "0.4"]
# All guilds are known beforehand, so that no roster proposes a character that runs: it would run again, rightly.
FULL_LOAD = {"characters": 60, "items": 10}
HALF_LOAD = {"characters": 20, "items": 15}
EDITED, UNTOUCHED = ("characters", "guilds", "profile"), ("items", "index", "auctions")
DRAINED_WITHIN_S = 60.0
THROUGHPUT_OFF_PERCENT = 5.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench rescale")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=240.0, help="of the random edits")
    parser.add_argument("--control", type=float, default=30.0, help="seconds without edits before them")
    parser.add_argument("--broken", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    report = Report("rescale" + (f"-{options.part}" if options.part else ""))
    parts = {"sizes": sizes, "edits": edits, "broken": broken}
    for name, part in parts.items():
        if options.part in (None, name):
            with scratch() as folder, simulator(folder, CLIENTS, [*WORLD, *LATENCY]) as world:
                text = preset("development", world.base_url, world.token_url, paused=("profile", "auctions"))
                with gatherer(folder, text):
                    pass
                know_guilds(folder, world.entities("guilds", 100_000))
                with gatherer(folder, text) as system:
                    part(report, system, world, Editor(folder / "config.toml", random.Random(options.seed)), options)
    if options.part in (None, "circus"):
        rescale_circus.measure(report)
    return report.finish()


def sizes(report: Report, system: System, world: World, editor: Editor, options: argparse.Namespace) -> None:
    """Resize characters while all its slots work."""
    table = ("workers", "characters")
    with Offer(system, world, FULL_LOAD, 120) as offer:
        until(system, "characters", lambda worker: worker["executing"] >= 8, time.monotonic())
        before = pids(system)
        took = [
            until(system, "characters", is_sized(n, 5), editor.set(table, "concurrency", n))
            for n in (3, 2, 4, 1, 2) * 2
        ]
        report.add("edit to effective, concurrency: median, s", statistics.median(took))
        report.add("edit to effective, concurrency: worst of 10, s", max(took), at_most=CONCURRENCY_S)
        report.add("processes that these edits replaced", _changed(before, pids(system)), at_most=0)
        grown, shrunk = [], []
        for _ in range(3):
            grown.append(until(system, "characters", is_sized(2, 8), editor.set(table, "replicas", 8)))
            time.sleep(1.0)
            shrunk.append(until(system, "characters", is_sized(2, 2), editor.set(table, "replicas", 2)))
            until(system, "characters", is_sized(2, 5), editor.set(table, "replicas", 5))
        report.add("edit to effective, replicas 5 → 8: worst of 3, s", max(grown), at_most=GROW_S)
        report.add("edit to all drained, replicas 8 → 2: worst of 3, s", max(shrunk))
        after = pids(system)
        report.add("processes of other pools replaced", _changed(before, after, without="characters"), at_most=0)
    report.add("replicas killed in a drain", len(killed_at_work(system.folder)), at_most=0)
    _lost_and_twice(report, "sizes", system, world, offer)


def edits(report: Report, system: System, world: World, editor: Editor, options: argparse.Namespace) -> None:
    """Edit at random and in a steady pace; the pools of UNTOUCHED are never named."""
    chance, watch = random.Random(options.seed), Bystanders()
    with Offer(system, world, HALF_LOAD, int(options.control + options.seconds) + 30) as offer:
        time.sleep(5.0)
        without = _throughput(system, options.control, lambda: None)
        pause_s = options.seconds / max(1, options.edits)

        def edit_at_random() -> None:
            due = time.monotonic()
            for _ in range(options.edits):
                worker, table, name, value = any_edit(chance, EDITED)
                watch.before(system, editor.replicas(), worker, replaces=name == "environment")
                editor.set(table, name, value)
                due += pause_s
                time.sleep(max(0.0, due - time.monotonic()))
                watch.after(system)

        with_edits = _throughput(system, 0.0, edit_at_random)
    report.add("random edits", watch.edits)
    report.add("pools at rest that an edit did not name", watch.looked_at)
    report.add("processes replaced in them", watch.moved, at_most=0)
    report.add("items/s without edits", without)
    report.add("items/s during the edits", with_edits)
    off = 100.0 * abs(with_edits / without - 1.0)
    report.add("throughput of untouched pools off by, %", off, at_most=THROUGHPUT_OFF_PERCENT)
    report.add("edits refused", len(logged(system.folder, "config_refused")), at_most=0)
    _lost_and_twice(report, "edits", system, world, offer)


def broken(report: Report, system: System, world: World, editor: Editor, options: argparse.Namespace) -> None:
    """Save one broken file after the other."""
    good = editor.path.read_bytes()
    before, sizes_before = pids(system), _sizes(system)
    noticed = unnamed = changed = 0
    took = []
    with Offer(system, world, HALF_LOAD, 300) as offer:
        for each in broken_edits(good, editor.path, options.broken, random.Random(options.seed)):
            errors, seconds = _refusal(system, editor, each)
            took.append(seconds)
            noticed += bool(errors)
            unnamed += not (errors and all(re.match(each.expected(editor.path), error) for error in errors))
            changed += pids(system) != before or _sizes(system) != sizes_before
        editor.write(good)
    report.add("broken edits", len(took))
    report.add("broken edits that were refused", noticed, at_least=len(took))
    report.add("broken edits after which a pool was another one", changed, at_most=0)
    report.add("broken edits not named with file and line", unnamed, at_most=0)
    report.add("broken edit to refusal, worst, s", max(took))
    _lost_and_twice(report, "broken", system, world, offer)


def _refusal(system: System, editor: Editor, each: Broken) -> tuple[list[str], float]:
    """Save one broken file; return what the status says of it, and after how many seconds."""
    known = system.daemon.get("/workers")["config"]["last_reload"]
    began = editor.write(each.content) if each.content is not None else _delete(editor.path)
    while time.monotonic() < began + 10.0:
        now: dict[str, Any] = system.daemon.get("/workers")["config"]["last_reload"]
        if now["at"] != known["at"]:
            return list(now["errors"]), time.monotonic() - began
        time.sleep(0.02)
    return [], float("inf")


def _delete(path: Path) -> float:
    path.unlink()
    return time.monotonic()


def _throughput(system: System, seconds: float, meanwhile: Any) -> float:
    """Return the items per second that ended while `meanwhile` ran, and `seconds` more."""
    began, before = time.monotonic(), finished(system, "items")
    meanwhile()
    time.sleep(seconds)
    return (finished(system, "items") - before) / (time.monotonic() - began)


def _changed(before: Any, after: Any, *, without: str = "") -> int:
    """Count the processes that are not what they were, in all pools but one."""
    return sum(
        after[worker].get(replica) != pid
        for worker, replicas in before.items()
        if worker != without
        for replica, pid in replicas.items()
    )


def _sizes(system: System) -> dict[str, Any]:
    return {name: worker["desired"] for name, worker in system.daemon.get("/workers")["workers"].items()}


def _lost_and_twice(report: Report, part: str, system: System, world: World, offer: Offer) -> None:
    """Wait until all offered jobs have ended; count what is missing, what ran twice, and what the API refused."""
    deadline = time.monotonic() + DRAINED_WITHIN_S
    while time.monotonic() < deadline and any(_unfinished(look(system, worker)) for worker in offer.offered):
        time.sleep(0.5)
    lost = 0
    for worker, entities in offer.offered.items():
        rows = system.query("SELECT entity FROM jobs WHERE kind = ? AND state IN ('completed', 'discarded')", worker)
        lost += len(entities - {entity for (entity,) in rows})
    seen = world.statistics()
    report.add(f"{part}: jobs offered", sum(map(len, offer.offered.values())))
    report.add(f"{part}: jobs lost", lost, at_most=0)
    ran = system.query("SELECT count(*) FROM jobs WHERE kind = 'characters' AND requests > 0")[0][0]
    asked = sum(seen["endpoints"]["character-status"].values())
    report.add(f"{part}: characters run twice", asked - ran, at_most=0)
    refused = sum(client["by_status"].get("429", 0) for client in seen["clients"].values())
    report.add(f"{part}: 429s by the simulator's count", refused, at_most=0)


def _unfinished(worker: dict[str, Any]) -> int:
    return sum(worker["queue"].get(state, 0) for state in ("available", "executing", "retryable", "scheduled"))
