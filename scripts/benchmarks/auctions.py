"""Seconds to store a realm's auctions and a region's commodities, and what everybody else notices of it.

Production preset (plus one replica that measures, `probe.py`) under a load of characters and items at a
fixed rate. Each house is read twice: unknown, and an hour later, when most of its auctions are known.

What is timed: from the job's claim until its completion can be read, looked at every 20 ms. The simulator
has made and packed the body before (one direct request by another client), so its own part is only to
send it: `simulator serves it, s`, which is contained in the figures and not subtracted.

What is noticed: round trips of claims, finishes and permits from inside a replica while a dump is being
worked on; the keys it asks have room, so a permit's trip is socket, supervisor's loop and limiter.
A machine that others use too makes all of this slower: `cores that others took` says how much of it was
in use by what is no part of this run. Memory: private (USS) of the auctions replicas, looked at every 50 ms.
"""

import argparse
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.benchmarks.client import COMMODITIES, Direct
from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.machine import Memory, core_wait_s, cpu_by_role
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, World, gatherer, percentile, scratch, simulator

REALM_S, COMMODITIES_S = 2.0, 8.0
LEDGER_P99_MS, PERMITS_P99_MS = 50.0, 20.0
PEAK_MB, AFTER_MB = 200.0, 16.0
OTHER_CLIENT = "bench"
# Profile: its jobs are for the probe. Guilds: their rosters would make a backlog of characters instead of a rate.
PAUSED = ("profile", "guilds")
# A fixed start keeps the hour's edge away from the run.
WORLD = ["--per-hour", "off", "--world-start", "1790000000", "--latency-median", "0.02", "--latency-sigma", "0"]
HOUR_S = 3600
LOOK_EVERY_S = 0.02
OFFER_EVERY_S = 0.25
PROBE_EVERY_S = 0.02
DUMP_S = 120.0
SETTLE_S = 10.0
FEW = 10
REST_S = 3.0
PROBED_JOBS = 20_000
OF_A_DUMP = ("auctions#", "database")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench auctions")
    parser.add_argument("--auctions", type=int, default=60_000)
    parser.add_argument("--commodities", type=int, default=300_000)
    parser.add_argument("--houses", type=int, default=3)
    parser.add_argument("--characters-per-s", type=float, default=20.0)
    parser.add_argument("--items-per-s", type=float, default=10.0)
    options = parser.parse_args(arguments)
    sizes = ["--auctions", str(options.auctions), "--commodities", str(options.commodities)]
    with scratch() as folder, simulator(folder, [*CLIENTS, OTHER_CLIENT], [*WORLD, *sizes]) as world:
        return measure(folder, world, options)


def measure(folder: Path, world: World, options: argparse.Namespace) -> int:
    probe = {"job": "scripts.benchmarks.probe", "path": str(Path.cwd()), "tag": "osint", "replicas": 1}
    config = preset("production", world.base_url, world.token_url, paused=PAUSED, workers={"probe": probe})
    direct = Direct(world, OTHER_CLIENT)
    with gatherer(folder, config) as system:
        characters = world.entities("characters", 40_000)
        trips = Trips(system, characters[-PROBED_JOBS:])
        memory = Memory(system, "auctions")
        with running(memory), running(Load(system, characters, options)):
            dumps = [
                *read_houses(system, world, direct, "first", options.houses),
                *read_houses(system, world, direct, "an hour later", options.houses, advance_s=HOUR_S),
            ]
            found = trips.stop()
        time.sleep(REST_S)
        after = max(mb for name, mb in system.uss_mb().items() if name.startswith("auctions#"))
        system.stop()
    return judge(dumps, found, memory, after)


def read_houses(
    system: System, world: World, direct: Direct, when: str, houses: int, advance_s: float = 0.0
) -> list[dict[str, Any]]:
    """Read some realms' houses and the commodities, one after the other; return what each took."""
    if advance_s:
        world.post("world", {"advance_s": advance_s})
    dumps = []
    for house in [*direct.houses()[:houses], COMMODITIES]:
        direct.get_house(house)
        settle(system)
        serves_s = direct.get_house(house)
        dumps.append(read_house(system, world, house) | {"when": when, "simulator serves it, s": serves_s})
        show(dumps[-1])
    return dumps


def show(dump: dict[str, Any]) -> None:
    print(f"  {dump['when']}: {dump['house']}: {dump['seconds']:.2f} s, without a core {dump['core_wait_s']:.2f} s")
    print(f"    {dump['note']}; jobs meanwhile {dump['finished']}")
    print(f"    CPU seconds { {role: cpu_s for role, cpu_s in dump['cpu_s'].items() if cpu_s} }", flush=True)


def read_house(system: System, world: World, house: str) -> dict[str, Any]:
    """Have one house read; return what it took. SystemExit when it does not come to a new reading."""
    cpu_before, wait_before = cpu_by_role(system, world), core_wait_s(system, OF_A_DUMP)
    answer = system.daemon.post("/jobs", body={"worker": "auctions", "entity": f"eu/{house}", "priority": "normal"})
    began, ended, note = wait_until_done(system, answer["jobs"][0]["id"])
    cpu_after, wait_after = cpu_by_role(system, world), core_wait_s(system, OF_A_DUMP)
    meanwhile = "SELECT kind, count(*) FROM jobs WHERE finished_at BETWEEN ? AND ? GROUP BY kind"
    return {
        "house": house,
        "began": began,
        "ended": ended,
        "seconds": ended - began,
        "note": note,
        "cpu_s": {role: round(cpu_s - cpu_before.get(role, 0.0), 2) for role, cpu_s in cpu_after.items()},
        "core_wait_s": wait_after - wait_before,
        "finished": dict(system.query(meanwhile, began, ended)),
    }


def wait_until_done(system: System, job: int) -> tuple[float, float, str]:
    """Return the wall seconds of a job's claim and of its completion being seen, and its note."""
    deadline = time.monotonic() + DUMP_S
    while time.monotonic() < deadline:
        outcome, began, note, error = system.query(
            "SELECT outcome, started_at, note, error FROM jobs WHERE id = ?", job
        )[0]
        if outcome == "done":
            return began, time.time(), note
        if outcome is not None or error:
            raise SystemExit(f"a house was not read: {outcome}: {note}{error}")
        time.sleep(LOOK_EVERY_S)
    raise SystemExit(f"a house was not read within {DUMP_S:g} s; see {system.folder}/supervisor.log")


def settle(system: System) -> None:
    """Wait until what piled up while the simulator made a body is done; the follow-ups of a dump may go on."""
    deadline = time.monotonic() + SETTLE_S
    waiting = "SELECT sum(n) FROM job_counts WHERE kind = 'characters' AND state IN ('available', 'executing')"
    while time.monotonic() < deadline and (system.query(waiting)[0][0] or 0) > FEW:
        time.sleep(LOOK_EVERY_S)


class Trips:
    """The probe's job: started here, stopped by a file."""

    def __init__(self, system: System, entities: list[str]) -> None:
        self._system = system
        self._out, self._stop = system.folder / "trips.json", system.folder / "stop"
        system.enqueue("profile", entities, priority="background")
        args = {"out": str(self._out), "stop": str(self._stop), "ledger": "profile", "every_s": PROBE_EVERY_S}
        args["database"] = str(system.folder / "run" / "database.sock")
        system.enqueue("probe", ["round trips"], args=args)

    def stop(self) -> dict[str, list[list[float]]]:
        self._stop.touch()
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            if self._system.query("SELECT 1 FROM jobs WHERE kind = 'probe' AND state = 'completed'"):
                return json.loads(self._out.read_text())  # type: ignore[no-any-return]
            time.sleep(0.1)
        raise SystemExit(f"the probe did not end; see {self._system.folder}/supervisor.log")


class Load:
    """Offer characters and items at a fixed rate."""

    def __init__(self, system: System, characters: list[str], options: argparse.Namespace) -> None:
        self._system = system
        self._characters = characters
        self._per_s = {"characters": options.characters_per_s, "items": options.items_per_s}
        self._entities = {"characters": characters, "items": [f"eu/{n}" for n in range(1, 20_000)]}

    def run(self, stop: threading.Event) -> None:
        offered = dict.fromkeys(self._per_s, 0)
        began = time.monotonic()
        while not stop.wait(OFFER_EVERY_S):
            for worker, per_s in self._per_s.items():
                due = int((time.monotonic() - began) * per_s)
                self._system.enqueue(worker, self._entities[worker][offered[worker] : due])
                offered[worker] = due


@contextmanager
def running(what: Load | Memory) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=what.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def judge(dumps: list[dict[str, Any]], trips: dict[str, list[list[float]]], memory: Memory, after: float) -> int:
    report = Report("auctions")
    for when in ("first", "an hour later"):
        of_when = [dump for dump in dumps if dump["when"] == when]
        realms = [dump["seconds"] for dump in of_when if dump["house"] != COMMODITIES]
        report.add(f"realm, {when}, slowest s", max(realms), at_most=REALM_S)
        both = [dump["seconds"] for dump in of_when if dump["house"] == COMMODITIES]
        report.add(f"commodities, {when}, s", max(both), at_most=COMMODITIES_S)
    for name, bar in (("claims", LEDGER_P99_MS), ("finishes", LEDGER_P99_MS), ("permits", PERMITS_P99_MS)):
        ms = [1000.0 * s for at, s in trips[name] if any(dump["began"] <= at <= dump["ended"] for dump in dumps)]
        calm = [1000.0 * s for at, s in trips[name] if not any(dump["began"] <= at <= dump["ended"] for dump in dumps)]
        report.add(f"{name}, number measured", len(ms))
        report.add(f"{name} p50, ms", percentile(ms, 0.50))
        report.add(f"{name} p99, ms", percentile(ms, 0.99), at_most=bar)
        report.add(f"{name} p99 between dumps, ms", percentile(calm, 0.99))
    foreign_s = sum(dump["cpu_s"]["foreign"] for dump in dumps)
    report.add("cores that others took meanwhile", foreign_s / sum(dump["seconds"] for dump in dumps))
    report.add("auctions replica at most, MB", max(mb for _, mb in memory.samples), at_most=PEAK_MB)
    report.add("auctions replicas after, MB", after, at_most=AFTER_MB)
    report.details = {"dumps": dumps, "load_average": os.getloadavg()}
    start = min(dump["began"] for dump in dumps)
    series = {name: [(at - start, 1000.0 * s) for at, s in trips[name]] for name in trips}
    return report.finish(series, "ms")
