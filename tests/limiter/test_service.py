"""What the limiter owes to those who wait: shares by weight, and urgent work soon, in virtual time."""

from random import Random
from typing import Any

import pytest

from supervisor.settings.config import Window
from tests.limiter.network import Network
from tests.limiter.simulation import Simulation, StrictServer
from tests.limiter.support import HOUR, SECOND, Bench, api, config, key, worker

URGENT, BACKGROUND = 0, 2
WEIGHTS = {"characters": 4.0, "guilds": 2.0, "profile": 1.0}


def simulation_of(*parts: Any, windows: tuple[Window, ...] = (SECOND,), **settings: Any) -> Simulation:
    random = Random(31)
    bench = Bench(config(api(windows=windows, **settings), *parts), now=0.0)
    server = StrictServer([(window.requests, window.per_s) for window in windows])
    return Simulation(bench, server, Network(random, jitter_s=0.03), random)


def shares(keys: int, answers: int) -> tuple[dict[str, float], int]:
    """Return each worker's share of the grants while all have an endless backlog, and how many were refused.

    The first second is left out: whoever asks before the others are there gets what he asks for.
    """
    workers = [worker(name, weight=weight) for name, weight in WEIGHTS.items()]
    simulation = simulation_of(*workers, *(key(f"osint-{n}") for n in range(keys)))
    granted = dict.fromkeys(WEIGHTS, 0)
    names = {simulation.connect(name): name for name in WEIGHTS for _ in range(3)}

    def again(connection: int, ask: int) -> None:
        granted[names[connection]] += simulation.granted_at[ask] > 1.0
        simulation.ask(connection, priority=BACKGROUND)

    simulation.on_answer = again
    for connection in names:
        for _ in range(60 * keys):
            simulation.ask(connection, priority=BACKGROUND)
    simulation.run(answers=answers)
    return {name: count / sum(granted.values()) for name, count in granted.items()}, simulation.server.refused


def check_shares(keys: int, answers: int) -> None:
    found, refused = shares(keys, answers)
    assert refused == 0
    for name, weight in WEIGHTS.items():
        assert found[name] == pytest.approx(weight / 7, rel=0.02)


def test_workers_of_weight_4_2_1_get_their_shares_within_2_percent() -> None:
    check_shares(1, 4_000)


@pytest.mark.slow
def test_they_do_so_over_six_keys_and_many_requests() -> None:
    check_shares(6, 60_000)


def urgent_waits(simulation: Simulation, *, urgent: int, gap_s: float) -> list[float]:
    """Keep 400 background requests waiting, ask for an urgent one now and then; return their waits, sorted."""
    background, person = simulation.connect("characters"), simulation.connect("characters")
    asked: dict[int, float] = {}

    def again(connection: int, ask: int) -> None:
        if connection == background:
            simulation.ask(connection, priority=BACKGROUND)

    def ask() -> None:
        now = simulation.bench.now
        asked[simulation.ask(person, priority=URGENT)] = now
        simulation.at(now + simulation.random.uniform(0.5, 1.5) * gap_s, ask)

    simulation.on_answer = again
    for _ in range(400):
        simulation.ask(background, priority=BACKGROUND)
    simulation.at(simulation.bench.now + gap_s, ask)
    simulation.run(until=simulation.bench.now + urgent * gap_s)
    return sorted(simulation.granted_at[ask] - at for ask, at in asked.items() if ask in simulation.granted_at)


def check_urgent(waits: list[float], *, at_least: int, p99_s: float) -> None:
    assert len(waits) >= at_least
    assert waits[int(len(waits) * 0.99)] < p99_s


@pytest.mark.parametrize("mode", [{}, {"theta": "auto"}, {"mode": "bucket"}], ids=str)
def test_an_urgent_permit_comes_within_1_2_s_of_a_saturated_second(mode: dict[str, Any]) -> None:
    waits = urgent_waits(simulation_of(hour="burst", **mode), urgent=100, gap_s=0.37)
    check_urgent(waits, at_least=90, p99_s=1.2)


@pytest.mark.slow
def test_the_same_a_thousand_times_at_a_real_key() -> None:
    waits = urgent_waits(simulation_of(windows=(SECOND, HOUR), hour="burst"), urgent=900, gap_s=0.37)
    check_urgent(waits, at_least=850, p99_s=1.2)


def test_an_urgent_permit_comes_within_a_second_when_background_has_spent_its_part_of_the_hour() -> None:
    windows = (Window(requests=20, per_s=1.0), Window(requests=720, per_s=3600.0))
    simulation = simulation_of(windows=windows)
    urgent_waits(simulation, urgent=60, gap_s=60.0)
    longest = simulation.bench.key().quota.longest
    assert longest.count > 0.88 * 720, "the background's part is spent"
    waits = urgent_waits(simulation, urgent=120, gap_s=60.0)
    check_urgent(waits, at_least=110, p99_s=1.0)
    assert simulation.server.refused == 0
