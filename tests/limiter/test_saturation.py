"""The promise and its price, mode by mode: nothing is refused, and all that can be used is used."""

import pytest

from tests.limiter.matrix import JITTERS_S, MODES, Cell, cells_of, run_cells
from tests.limiter.saturation import Saturation

A_MILLION = 1_000_000


@pytest.mark.parametrize("jitter_s", JITTERS_S)
@pytest.mark.parametrize("mode", MODES)
def test_an_endless_backlog_is_never_refused(mode: str, jitter_s: float) -> None:
    outcome = Cell(mode, jitter_s, 7, 3_000).run()
    # So few requests make few windows: the exact figure is the slow test's.
    assert outcome.complaints(within=0.05) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_path_that_stalls_every_few_seconds_is_never_refused(mode: str) -> None:
    outcome = Saturation(3, jitter_s=0.03, stall_every_s=4.0, **MODES[mode].settings).run(3_000)
    assert not any(outcome.refused.values())


@pytest.mark.parametrize("mode", MODES)
def test_clients_that_give_up_early_are_never_refused(mode: str) -> None:
    outcome = Saturation(4, jitter_s=0.08, stall_every_s=20.0, timeout_s=0.3, **MODES[mode].settings).run(3_000)
    assert not any(outcome.refused.values())


def test_the_phase_of_fixed_windows_is_learnt_within_seconds() -> None:
    run = Saturation(5, jitter_s=0.03, mode="fixed")
    run.run(2_500)
    assert run.key.quota.evidence.phase(run.now) is not None
    assert run.now - 1000.0 < 30.0


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_million_requests_are_never_refused_and_use_what_can_be_used(mode: str) -> None:
    for cell, outcome in run_cells(cells_of(mode, requests=A_MILLION, seeds=2)):
        assert outcome.complaints() == [], cell
        assert outcome.utilisation >= cell.bar, cell
