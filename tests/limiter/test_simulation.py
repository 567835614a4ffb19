"""The whole limiter with its waiters, against a strict server and a bad network; `saturation.py` has the counting."""

from random import Random

import pytest

from supervisor.settings.config import Window
from tests.limiter.network import Network
from tests.limiter.simulation import Simulation, StrictServer, saturate
from tests.limiter.support import Bench, api, config, key


def run(answers: int, *, jitter_s: float, seed: int, keys: int = 1, stall_every_s: float = 300.0) -> Simulation:
    random = Random(seed)
    settings = config(api(windows=(Window(requests=100, per_s=1.0),)), *(key(f"osint-{n + 1}") for n in range(keys)))
    network = Network(random, jitter_s=jitter_s, stall_every_s=stall_every_s)
    return saturate(Bench(settings), StrictServer([(100, 1.0)]), network, random, answers=answers)


def utilisation(simulation: Simulation, keys: int = 1) -> float:
    """Return counted requests per window and key, as a share of the limit; the first 5 s left out."""
    logs = simulation.server.arrivals.values()
    begin, end = min(log[0] for log in logs) + 5.0, max(log[-1] for log in logs)
    return sum(at >= begin for log in logs for at in log) / (end - begin) / 100 / keys


def expected(simulation: Simulation) -> float:
    mean_rtt_s = sum(simulation.answered) / len(simulation.answered)
    return 1.0 / (1.0 + mean_rtt_s + 0.002)


def test_a_saturating_backlog_is_never_refused_and_uses_what_can_be_used() -> None:
    simulation = run(2_000, jitter_s=0.03, seed=1)
    assert simulation.server.refused == 0
    assert simulation.server.peak("osint-1", 1.0) <= 100
    assert utilisation(simulation) == pytest.approx(expected(simulation), abs=0.02)


def test_stalls_of_the_path_cause_no_refusal() -> None:
    simulation = run(2_000, jitter_s=0.03, seed=2, stall_every_s=3.0)
    assert simulation.server.refused == 0


def test_clients_that_give_up_cause_no_refusal() -> None:
    random = Random(4)
    network = Network(random, jitter_s=0.03, stall_every_s=4.0)
    settings = config(api(windows=(Window(requests=100, per_s=1.0),)))
    simulation = Simulation(Bench(settings), StrictServer([(100, 1.0)]), network, random)
    simulation.timeout_s = 0.3
    connection = simulation.connect("characters")
    simulation.on_answer = lambda number, ask: void(simulation.ask(number, priority=0))
    for _ in range(300):
        simulation.ask(connection, priority=0)
    simulation.run(answers=900)
    assert simulation.server.refused == 0


def void(_: object) -> None:
    return None


@pytest.mark.slow
def test_six_keys_are_all_used_to_the_full() -> None:
    simulation = run(60_000, jitter_s=0.03, seed=12, keys=6)
    assert simulation.server.refused == 0
    assert utilisation(simulation, keys=6) == pytest.approx(expected(simulation), abs=0.02)
