"""Seconds from a SIGKILL until work goes on, and what is lost. With --kills: a thousand of them, at random.

One after the other, on an otherwise idle system (every figure is the worst of its rounds):
  replica     killed while it runs a job → the same job has begun again
  database    killed under a stream of small jobs → the longest gap between two of them; twice, since a third death
              within a minute is answered by a longer backoff, on purpose
  supervisor  killed with jobs running → all its processes gone; started at once → first claim, first permit
--kills N: the 32 replicas of `manners` and 8 more on two keys, a network that loses and cuts; N times a random one of
replicas, zygote, database, supervisor, or all at once. Then the audit: what was accepted is there, no effect twice.
"""

import argparse
import os
import signal
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random

import tomli_w

from scripts.benchmarks import deeds, manners
from scripts.benchmarks.chaos import WEATHERS, Chaos
from scripts.benchmarks.deeds import Begun, Deeds
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, World, gatherer, scratch
from tests.support.proxy import FAIR, Proxy

ROUNDS = 5
DATABASE_ROUNDS = 2
REPLICAS = 8
WITHIN_S = 60.0
STREAM = 4000
SETTLED_WITHIN_S = 300.0
PACE_S = 0.5
SPREAD = (0.4, 1.6)  # of the pace


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench recovery", description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--pace", type=float, default=PACE_S, help="mean seconds from a kill to the next one")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with scratch() as folder, manners.bad_network(folder, per_hour=0, seed=options.seed) as (world, way):
        if options.kills:
            return many_kills(folder, world, way, options)
        return one_by_one(folder, world, way)


def one_by_one(folder: Path, world: World, way: Proxy) -> int:
    config = only_deeds(manners.configuration(world, way, per_hour=0))
    report = Report("recovery")
    with gatherer(folder, config) as system:
        work, chaos = Deeds(system), Chaos(system, way, Random(1))
        again = [replica_killed(system, work) for _ in range(ROUNDS)]
        report.add("replica: seconds until its job runs again", max(again), at_most=0.5)
        gaps = [database_killed(chaos, work) for _ in range(DATABASE_ROUNDS)]
        report.add("database: seconds until jobs run again", max(gaps), at_most=1.0)
        claims = [supervisor_killed(chaos, work) for _ in range(ROUNDS)]
        report.add("supervisor: seconds until all are gone", max(chaos.gone_after_s), at_most=1.0)
        report.add("supervisor: seconds until the first claim", max(claims), at_most=3.0)
        report.add("supervisor: seconds until the first permit", max(chaos.after_crash_s), at_most=4.0)
        audit(report, work, world)
        report.details = {"again": again, "gaps": gaps, "claims": claims, "permits": chaos.after_crash_s}
    return report.finish()


def only_deeds(config: str) -> str:
    """Return the configuration with one worker, which starts jobs as fast as it can."""
    settings = tomllib.loads(config)
    settings["workers"] = {"deeds": deeds.worker(replicas=REPLICAS)}
    return tomli_w.dumps(settings)


def replica_killed(system: System, work: Deeds) -> float:
    """Kill a replica that runs a job; return the seconds until that job has begun again."""
    known = len(work.diary())
    work.give(1, do="sleep", seconds=3.0)
    first = wait_for(lambda: work.diary()[known:])
    killed_at = time.monotonic()
    os.kill(first.pid, signal.SIGKILL)
    again = wait_for(lambda: [line for line in work.diary() if line.job == first.job and line.at > killed_at])
    settle(work)
    return again.at - killed_at


def database_killed(chaos: Chaos, work: Deeds) -> float:
    """Kill the database under a stream of jobs; return the longest gap between two that begin."""
    work.give(STREAM)
    began = len(work.diary())
    wait_for(lambda: work.diary()[began + 200 :])
    killed_at = time.monotonic()
    chaos.kill_one("database")
    settle(work)
    moments = [line.at for line in work.diary() if line.at > killed_at - 0.2]
    return max(after - before for before, after in zip(moments, moments[1:], strict=False))


def supervisor_killed(chaos: Chaos, work: Deeds) -> float:
    """Kill the supervisor while jobs run and others ask; return the seconds from its start to the first claim."""
    work.give(REPLICAS // 2, do="sleep", seconds=2.0)
    work.give(100, do="ask")
    wait_for(work.diary)
    started_at = chaos.crash()
    first = wait_for(lambda: [line for line in work.diary() if line.at > started_at + chaos.gone_after_s[-1]])
    settle(work)
    return first.at - started_at


def wait_for(look: Callable[[], list[Begun]]) -> Begun:
    """Return the first of what `look` sees, as soon as it sees something."""
    deadline = time.monotonic() + WITHIN_S
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing begins within {WITHIN_S:g} s")
        time.sleep(0.005)
    return seen[0]


def settle(work: Deeds, within_s: float = WITHIN_S) -> None:
    """Wait until every deed has ended."""
    deadline = time.monotonic() + within_s
    while left := work.unfinished():
        if time.monotonic() > deadline:
            raise SystemExit(f"{left} deeds have not ended after {within_s:g} s")
        time.sleep(0.05)


def many_kills(folder: Path, world: World, way: Proxy, options: argparse.Namespace) -> int:
    settings = tomllib.loads(manners.configuration(world, way, per_hour=0))
    settings["workers"]["deeds"] = deeds.worker(replicas=REPLICAS, weight=4)
    with gatherer(folder, tomli_w.dumps(settings)) as system:
        manners.enqueue_plenty(system, world, options.kills)
        work, chaos = Deeds(system), Chaos(system, way, Random(options.seed))
        began = time.monotonic()
        with work.fed(do="ask"):
            kill_at_random(system, chaos, way, options)
        ended = time.monotonic()
        way.weather = FAIR
        settle(work, SETTLED_WITHIN_S)
        report = Report("recovery-kills")
        report.add("kills", sum(chaos.done.values()))
        report.add("seconds", ended - began)
        report.add("seconds until all had ended", time.monotonic() - ended)
        report.add("requests", sum(len(moments) for moments in world.arrivals().values()))
        audit(report, work, world)
        report.add("worst seconds until all are gone", max(chaos.gone_after_s, default=0.0), at_most=1.0)
        report.add("worst seconds until the first permit", max(chaos.after_crash_s, default=0.0))
        for name, count in sorted(chaos.done.items()):
            report.add(name, count)
        system.stop()
    return report.finish()


def kill_at_random(system: System, chaos: Chaos, way: Proxy, options: argparse.Namespace) -> None:
    """Kill `options.kills` times: mostly replicas, since the others take many with them."""
    random = Random(options.seed)
    kills: list[tuple[Callable[[], object], float]] = [
        (chaos.kill_replica, 0.88),
        (lambda: chaos.kill_one("zygote"), 0.03),
        (lambda: chaos.kill_one("database"), 0.04),
        (chaos.crash, 0.04),
        (chaos.crash_all, 0.01),
    ]
    while sum(chaos.done.values()) < options.kills:
        way.weather = random.choice(WEATHERS)
        random.choices(*zip(*kills, strict=True))[0]()
        time.sleep(options.pace * random.uniform(*SPREAD))


def audit(report: Report, work: Deeds, world: World) -> None:
    """Hold what was accepted against what became of it."""
    effects, took_effect, without = work.effects()
    states = list(work.states().values())
    report.add("jobs accepted", len(work.accepted))
    report.add("jobs lost", len(work.lost()) + without, at_most=0)
    report.add("effects twice", effects - took_effect, at_most=0)
    report.add("discarded as poison", states.count("discarded"))
    report.add("429s by the simulator's count", manners.refused(world.statistics()), at_most=0)
    report.add("most requests of a key in any second", manners.most(world.arrivals(), 1.0), at_most=manners.PER_SECOND)
