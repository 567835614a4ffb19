"""Run one benchmark by its name: `scripts/bench NAME [options]`. Exit code 1 = a bar was missed."""

import sys

from scripts.benchmarks import auctions, manners, pipeline, sweep, urgent

BENCHMARKS = {
    "pipeline": (pipeline.main, "jobs per second of the guide's workers together, CPU per request, memory"),
    "auctions": (auctions.main, "seconds to store a realm dump and the commodities, and what others notice of it"),
    "sweep": (sweep.main, "requests per known, unchanged character"),
    "manners": (manners.main, "429s while everything breaks: replicas, network, supervisor"),
    "urgent": (urgent.main, "seconds of an urgent refresh while background work fills the hour (virtual time)"),
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in BENCHMARKS:
        print("usage: scripts/bench NAME [options]\n")
        for name, (_, text) in BENCHMARKS.items():
            print(f"  {name:10} {text}")
        return 2 if arguments and arguments[0] not in ("-h", "--help") else 0
    return BENCHMARKS[arguments[0]][0](arguments[1:])


sys.exit(main(sys.argv[1:]))
