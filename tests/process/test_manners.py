"""No limit is exceeded whatever breaks: 32 replicas, a bad network, kills. The simulated API is the judge.

It counts on arrival; what it kept is counted once more by the audit of `scripts.benchmarks.manners`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from scripts.benchmarks.chaos import STOPPED_S, WEATHERS, Chaos, replicas_of
from scripts.benchmarks.manners import PER_SECOND, bad_network, configuration, enqueue_plenty, most, refused
from scripts.benchmarks.system import System, World, gatherer
from tests.support.proxy import Proxy

pytestmark = pytest.mark.slow

REPLICAS = 32
START_S = 30.0  # generous: the machine may be busy with other things


@contextmanager
def running(folder: Path, *, per_hour: int = 0, load_s: int = 20) -> Iterator[tuple[System, World, Proxy, Chaos]]:
    with bad_network(folder, per_hour=per_hour) as (world, way):
        with gatherer(folder, configuration(world, way, per_hour=per_hour)) as system:
            enqueue_plenty(system, world, load_s)
            yield system, world, way, Chaos(system, way, Random(1))
        assert_kept(world, per_hour=per_hour)


def assert_kept(world: World, *, per_hour: int) -> None:
    arrivals = world.arrivals()
    assert refused(world.statistics()) == 0
    assert most(arrivals, 1.0) <= PER_SECOND
    if per_hour:
        assert most(arrivals, 3600.0) <= per_hour


def requests(world: World) -> int:
    return sum(client["requests"] for client in world.statistics()["clients"].values())


def wait_for(world: World, n: int) -> None:
    """Return when the API has seen `n` requests."""
    deadline = time.monotonic() + START_S
    while (seen := requests(world)) < n:
        assert time.monotonic() < deadline, f"{seen} requests in {START_S:g} s, not {n}"
        time.sleep(0.05)


def test_killed_and_stopped_replicas_on_a_bad_network_cause_no_429(tmp_path: Path) -> None:
    with running(tmp_path) as (system, world, way, chaos):
        wait_for(world, 200)
        assert len(replicas_of(system)) == REPLICAS
        for weather in WEATHERS[1:]:
            way.weather = weather
            chaos.hold()
            chaos.kill_replica()
            chaos.stop_replica()
            wait_for(world, requests(world) + 50)
        restarts = sum(sum(w["restarts"].values()) for w in system.daemon.get("/workers")["workers"].values())
        assert restarts >= len(WEATHERS) - 1
        assert min(way.done["cut"], way.done["drop"] + way.done["lose"], way.done["hold"]) > 0


def test_hour_and_second_hold_over_kills_and_restarts_of_the_supervisor(tmp_path: Path) -> None:
    per_hour = 600
    with running(tmp_path, per_hour=per_hour) as (system, world, way, chaos):
        way.weather = WEATHERS[2]
        wait_for(world, 250)  # more than a second's worth of each key: its window is full
        chaos.crash()
        wait_for(world, requests(world) + 250)
        way.weather = WEATHERS[1]
        chaos.restart()
        wait_for(world, requests(world) + 100)
        chaos.crash()
        all_spent(system, per_hour)
        # What was in flight at a kill counts as spent, though it may never have left. That is a second's worth at most.
        assert requests(world) >= 2 * (per_hour - 2 * PER_SECOND)


def all_spent(system: System, per_hour: int) -> None:
    """Wait until no key has anything left of its hour."""
    deadline = time.monotonic() + START_S
    while True:
        hours = [key["windows"][-1] for key in system.daemon.get("/keys")["keys"]]
        if all(hour["used"] == per_hour and hour["left"] == 0 for hour in hours):
            return
        assert time.monotonic() < deadline, hours
        time.sleep(0.05)


def test_stops_stay_below_the_silence_that_counts_as_hung() -> None:
    """A replica that is stopped for longer is killed, which is another test's subject."""
    assert STOPPED_S[1] < 15.0
