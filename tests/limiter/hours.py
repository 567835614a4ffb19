"""Full hours: one key whose hour is spent again and again by a backlog without end."""

from random import Random

from supervisor.settings.config import Window
from tests.limiter.network import Network
from tests.limiter.simulation import Simulation, StrictServer, saturate
from tests.limiter.support import Bench, api, config

HOUR_S = 3600.0
PAUSE_S = 60.0
"""Longer without an arrival: the hour was spent."""


def full_hours(per_hour: int, hours: int, *, hour: str = "burst") -> Simulation:
    """Spend `hours` hours of a key, urgent work only, which may have all of each."""
    random = Random(21)
    windows = (Window(requests=100, per_s=1.0), Window(requests=per_hour, per_s=HOUR_S))
    bench = Bench(config(api(windows=windows, hour=hour)), now=0.0)
    server = StrictServer([(window.requests, window.per_s) for window in windows])
    # One more than the hours hold: the answers end with the first of the next.
    return saturate(bench, server, Network(random, jitter_s=0.03), random, answers=per_hour * hours + 1)


def share_of_the_hour(simulation: Simulation, per_hour: int) -> float:
    """Return the requests per hour that were counted, from the first of one spending to the first of the last."""
    arrivals = simulation.server.arrivals["osint-1"]
    begins = [0] + [n for n in range(1, len(arrivals)) if arrivals[n] - arrivals[n - 1] > PAUSE_S]
    seconds = arrivals[begins[-1]] - arrivals[0]
    return begins[-1] / seconds * HOUR_S / per_hour
