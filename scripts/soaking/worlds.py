"""The simulated world of a soak: frozen and small, so that two runs over it must store the same.

Both runs see it twice: as it is at the start, and after `change` (a day later; some people left their guild, changed
their name, or are gone). Every guild, every character and every item of it is asked for each time, so what is found
in passing (rosters, leaderboards, auctions) is never more than what is asked for anyway.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from scripts.benchmarks.configuration import CLIENTS
from scripts.benchmarks.system import World, simulator
from scripts.soaking.plan import DAY_S, ITEMS, REALMS, Plan
from scripts.soaking.settings import PER_HOUR, PER_SECOND, SECRET

LATENCY = ["--latency-median", "0.08", "--latency-sigma", "0.4"]
AT_ONCE = ["--latency-median", "0", "--per-second", "off", "--per-hour", "off"]
AUCTIONS = 60  # of different items nearly all, and the one DMA key sustains five items a second
LEAVE, RENAME, VANISH = 10, 10, 5  # fewer than the absence brake would mind

Work = list[tuple[str, str]]
"""[(worker, entity)]"""


@contextmanager
def judged(folder: Path, plan: Plan) -> Iterator[World]:
    """Run the world that keeps Blizzard's limits and every arrival."""
    limits = ["--per-second", str(PER_SECOND), "--per-hour", str(PER_HOUR), "--keep-arrivals"]
    with simulator(folder, CLIENTS, [*_world(plan), *LATENCY, *limits], secret=SECRET) as world:
        yield world


@contextmanager
def willing(folder: Path, plan: Plan) -> Iterator[World]:
    """Run the same world, for the run without faults: it answers at once, however often it is asked."""
    with simulator(folder, CLIENTS, [*_world(plan), *AT_ONCE], secret=SECRET) as world:
        yield world


def _world(plan: Plan) -> list[str]:
    options = {
        "--seed": plan.seed,
        "--realms": REALMS,
        "--characters-per-realm": plan.names // REALMS,
        "--world-clock-speed": 0,
        "--world-start": plan.world_start,
        "--auctions": AUCTIONS,
        "--commodities": 2 * AUCTIONS,
        "--leaderboard": 20,
    }
    return [word for name, value in options.items() for word in (name, str(value))]


class Worklist:
    """What is asked for, before and after the change."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._random = Random(plan.seed)
        self._known: dict[str, None] = {}  # names of before the change are asked for after it too
        self.changed: Work = []

    def all(self) -> Work:
        """Return every guild, character, profile and item, in an order by dice."""
        self._known |= dict.fromkeys(self._world.entities("characters", 1_000_000))
        work = [("guilds", each) for each in self._world.entities("guilds", 1_000_000)]
        work += [(kind, each) for each in self._known for kind in ("characters", "profile")]
        work += [("items", f"eu/{number}") for number in range(1, ITEMS + 1)]
        self._random.shuffle(work)
        return work

    def change(self) -> None:
        """Let a day pass in the world, and some of its people move."""
        people = self._random.sample(sorted(self._known), LEAVE + RENAME + VANISH)
        leave, rename, vanish = people[:LEAVE], people[LEAVE : LEAVE + RENAME], people[LEAVE + RENAME :]
        names = {entity: f"{entity.rpartition('/')[2]}new".capitalize() for entity in rename}
        edits = {"advance_s": DAY_S, "leave_guild": leave, "rename": names, "opt_out": vanish}
        self._world.post("world", edits)
        renamed = [f"{entity.rpartition('/')[0]}/{name.lower()}" for entity, name in names.items()]
        self.changed = [("characters", each) for each in (*people, *renamed)]
