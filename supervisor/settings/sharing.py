"""Who gets how much when everybody wants: the keys' requests a second, shared among workers.

The limiter's rules as a fluid: each worker draws at the speed of its weight, from the least flexible of
its keys that are not dry, evenly by what those have left, until it has what it wants or all are dry.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from supervisor.settings.config import Value

NOTHING = 1e-9


class Drawer(Value, frozen=True):
    """One worker. keys: the names of those it may use. wants_per_s: requests, inf = as many as it can get."""

    name: str
    weight: float
    keys: tuple[str, ...]
    wants_per_s: float = math.inf


def share(keys: Mapping[str, float], drawers: Iterable[Drawer]) -> dict[str, float]:
    """Return {worker: requests a second}; keys: {name: requests a second}.

    Exact: each turn of the loop dries a key or satisfies a worker, so there are few.
    """
    drawers = list(drawers)
    got = dict.fromkeys((drawer.name for drawer in drawers), 0.0)
    left = dict(keys)
    flexibility = Counter(key for drawer in drawers for key in drawer.keys)
    while True:
        flows = _flows(drawers, got, left, flexibility)
        if not flows:
            return got
        step_s = _step(drawers, flows, got, left)
        for (name, key), speed in flows.items():
            got[name] += speed * step_s
            left[key] -= speed * step_s


def _flows(
    drawers: list[Drawer], got: Mapping[str, float], left: Mapping[str, float], flexibility: Counter[str]
) -> dict[tuple[str, str], float]:
    """Return {(worker, key): speed} for the workers that want more and have a key with something left."""
    flows: dict[tuple[str, str], float] = {}
    for drawer in drawers:
        usable = [key for key in drawer.keys if left[key] > NOTHING]
        if not usable or drawer.wants_per_s - got[drawer.name] <= NOTHING:
            continue
        least = min(flexibility[key] for key in usable)
        first = [key for key in usable if flexibility[key] == least]
        total = sum(left[key] for key in first)
        flows |= {(drawer.name, key): drawer.weight * left[key] / total for key in first}
    return flows


def _step(
    drawers: list[Drawer], flows: Mapping[tuple[str, str], float], got: Mapping[str, float], left: Mapping[str, float]
) -> float:
    """Return how long the flows can go on as they are."""
    draining: defaultdict[str, float] = defaultdict(float)
    for (_, key), speed in flows.items():
        draining[key] += speed
    flowing = {name for name, _ in flows}
    dry_s = min(left[key] / speed for key, speed in draining.items())
    full_s = [(drawer.wants_per_s - got[drawer.name]) / drawer.weight for drawer in drawers if drawer.name in flowing]
    return min(dry_s, *full_s)
