"""The promise, against a strict server and a bad network: nothing is refused, and little is left idle."""

from collections.abc import Callable
from random import Random

import pytest

from supervisor.limiter.window import SlidingWindow
from supervisor.settings.config import Window
from tests.limiter.simulation import Network, Simulation, StrictServer, saturate
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


def test_the_simulation_finds_a_limiter_that_counts_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutation: theta 60 ms beyond any truth must be caught, or the zeros above say nothing."""
    true_charge: Callable[..., None] = SlidingWindow.charge
    monkeypatch.setattr(SlidingWindow, "charge", lambda self, at, requests=1: true_charge(self, at - 0.1, requests))
    assert run(2_000, jitter_s=0.01, seed=3).server.refused > 0


def test_a_timeout_that_frees_the_slot_at_once_would_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counterexample 4: with a linger of 0 the strict server refuses; with ours it does not."""

    def with_timeouts() -> int:
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
        return simulation.server.refused

    assert with_timeouts() == 0
    monkeypatch.setattr("supervisor.limiter.permit.LINGER_S", -0.9)
    assert with_timeouts() > 0


def void(_: object) -> None:
    return None


@pytest.mark.slow
@pytest.mark.parametrize(("jitter_s", "specified"), [(0.01, 0.931), (0.03, 0.914), (0.08, 0.874)])
def test_a_hundred_thousand_requests_are_never_refused(jitter_s: float, specified: float) -> None:
    simulation = run(100_000, jitter_s=jitter_s, seed=11)
    assert simulation.server.refused == 0
    assert utilisation(simulation) == pytest.approx(expected(simulation), abs=0.003)
    assert utilisation(simulation) == pytest.approx(specified, abs=0.006)


@pytest.mark.slow
def test_six_keys_are_all_used_to_the_full() -> None:
    simulation = run(60_000, jitter_s=0.03, seed=12, keys=6)
    assert simulation.server.refused == 0
    assert utilisation(simulation, keys=6) == pytest.approx(expected(simulation), abs=0.02)
