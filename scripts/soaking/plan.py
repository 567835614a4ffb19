"""What one soak is: its length, its dice, and the size of its world."""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

DAY_S = 86_400.0
WORLD_AGO_S = DAY_S + 2 * 3600.0  # the frozen world stands so long before now, then moves on by a day
REALMS = 4
NAMES_PER_MINUTE = 160  # in all realms: about 10 requests each, which the faults leave time for
LEAST_NAMES = 200
ITEMS = 300


@dataclass(frozen=True, kw_only=True)
class Plan:
    """seconds: of faults, in two halves. world_start: wall seconds. names: characters in the world."""

    seconds: float
    seed: int
    load: float
    world_start: int
    report: Path | None = None

    @property
    def names(self) -> int:
        """Return how many characters the world has, valid or not."""
        return max(LEAST_NAMES, int(NAMES_PER_MINUTE * self.seconds / 60 * self.load))

    @property
    def half_s(self) -> float:
        return self.seconds / 2


def parse(arguments: list[str]) -> Plan:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="of faults, in two halves; the audit comes on top")
    parser.add_argument("--seed", type=int, default=0, help="of world and faults; 0 = by the clock (it is printed)")
    parser.add_argument("--load", type=float, default=1.0, help="scales the world, and with it the work")
    parser.add_argument("--report", type=Path, help="put the report into this file, below its line '## The last run'")
    given = parser.parse_args(arguments)
    now = time.time()
    return Plan(
        seconds=given.minutes * 60,
        seed=given.seed or int(now) % 1_000_000,
        load=given.load,
        world_start=int(now - WORLD_AGO_S),
        report=given.report,
    )
