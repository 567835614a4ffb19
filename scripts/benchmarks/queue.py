"""No-op jobs a second, from waiting to finished in the file, beside BullMQ, Huey and SAQ.

Two shapes. batch: 2 processes with 64 jobs at once. single: 30 processes with one job at a time, where nothing is saved
by doing many jobs together but the fsync. In each round all contenders take turns; figures are medians. Jobs wait
before the clock starts; it runs from the first look at a contender's store that finds finished jobs to the last, for
all its jobs or SECONDS. Finished is what the store says, read from outside.

Only what survives the same is compared: A a power cut (SQLite FULL, Redis appendfsync always), B the death of a process
(SQLite without fsync, Redis everysec). Gatherer knows A only. Without node, npm or redis-server (Debian: nodejs npm
redis-server) the peers that need them are left out.
"""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.benchmarks.disk import fsyncs_per_s, must_be_a_disk
from scripts.benchmarks.machine import take_cores
from scripts.benchmarks.queue_ours import ours
from scripts.benchmarks.queue_peers import peers
from scripts.benchmarks.queue_round import BATCH, SINGLE, Contender, Round, Shape, watch
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import scratch

BATCH_JOBS_PER_S = 10_000
SINGLE_JOBS_PER_S, SINGLE_JOBS_PER_FSYNC = 3000, 8


@dataclass
class Results:
    """All rounds. rounds: by (contender, shape); fsyncs: a second, one measurement a round."""

    rounds: dict[tuple[Contender, Shape], list[Round]] = field(default_factory=dict)
    fsyncs: list[float] = field(default_factory=list)

    def median(self, contender: Contender, shape: Shape, value: Callable[[Round], float]) -> float:
        return statistics.median(map(value, self.rounds[contender, shape]))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench queue", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ours", action="store_true", help="without the peers")
    parser.add_argument(
        "--alone", action="store_true", help="take the cores before all else on a shared machine (root)"
    )
    options = parser.parse_args(arguments)
    if options.alone:
        take_cores()
    contenders = [ours()] if options.ours else [ours(), *peers()]
    results = Results()
    with scratch() as folder:
        must_be_a_disk(folder)
    for _ in range(options.rounds):
        with scratch() as folder:
            results.fsyncs.append(fsyncs_per_s(folder))
        for contender in contenders:
            for shape in contender.shapes:
                with scratch() as folder, contender.ready(folder, shape) as run:
                    done = watch(run, contender.jobs)
                results.rounds.setdefault((contender, shape), []).append(done)
    print_table(results)
    return judge(results, contenders[0])


def judge(results: Results, gatherer: Contender) -> int:
    report = Report("queue")
    fsyncs = statistics.median(results.fsyncs)
    report.add("fsyncs/s of this disk", fsyncs)
    batch = results.median(gatherer, BATCH, lambda each: each.jobs_per_s)
    single = results.median(gatherer, SINGLE, lambda each: each.jobs_per_s)
    report.add("batch: no-op jobs/s", batch, at_least=BATCH_JOBS_PER_S)
    bar = min(SINGLE_JOBS_PER_S, SINGLE_JOBS_PER_FSYNC * fsyncs)
    report.add("single: no-op jobs/s with 30 replicas", single, at_least=bar)
    report.details = {f"{c.name}, {s.name}": rounds for (c, s), rounds in results.rounds.items()}
    return report.finish()


def print_table(results: Results) -> None:
    for (contender, shape), rounds in results.rounds.items():
        speeds = sorted(each.jobs_per_s for each in rounds)
        others = statistics.median(each.others for each in rounds)
        costs = {role: statistics.median(each.cpu_ms.get(role, 0.0) for each in rounds) for role in rounds[0].cpu_ms}
        ms = ", ".join(f"{role} {cost:.3f}" for role, cost in costs.items())
        print(
            f"{shape.name:7} {contender.durability} {contender.name:22} {statistics.median(speeds):8,.0f} jobs/s"
            f" ({speeds[0]:,.0f}-{speeds[-1]:,.0f})  CPU ms a job: {ms}; others took {others:.2f} cores"
        )
