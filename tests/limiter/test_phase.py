"""When fixed windows begin: an interval that answers narrow and age widens, and that never leaves the truth out."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.limiter.phase import DRIFT, DateReader, Phase, is_better


def test_what_was_answered_before_a_tick_is_forgotten_at_the_latest_of_it() -> None:
    phase = Phase(earliest=10.0, latest=10.02, read_at=10.0)
    assert phase.frees_at(10.5, 1.0) == pytest.approx(11.0217, abs=1e-4)
    assert phase.frees_at(10.9999, 1.0) == pytest.approx(12.0218, abs=1e-4), "perhaps of the next window"


def test_a_tick_known_badly_is_not_used_and_age_makes_it_worse() -> None:
    assert Phase(10.0, 10.3, 10.0).frees_at(10.5, 1.0) == math.inf
    phase = Phase(10.0, 10.1, 10.0)
    assert phase.frees_at(10.5, 1.0) < math.inf
    assert phase.frees_at(10.5 + 0.2 / DRIFT, 1.0) == math.inf


def test_answers_on_both_sides_of_a_tick_narrow_it_to_their_round_trip() -> None:
    reader = DateReader()
    reader.heard(sent_at=100.0, seen_at=100.06, date_s=5000)
    assert reader.phase() == Phase(pytest.approx(-4901.0), pytest.approx(-4899.94), 100.06)  # type: ignore[arg-type]
    reader.heard(sent_at=100.95, seen_at=101.01, date_s=5001)
    reader.heard(sent_at=100.93, seen_at=100.99, date_s=5000)
    phase = reader.phase()
    assert phase is not None
    assert phase.earliest == pytest.approx(100.93 - 5001, abs=1e-3)
    assert phase.latest == pytest.approx(101.01 - 5001, abs=1e-3)
    assert not reader.contradicts


def test_clocks_that_disagree_are_noticed() -> None:
    reader = DateReader()
    reader.heard(sent_at=100.0, seen_at=100.06, date_s=5000)
    reader.heard(sent_at=100.1, seen_at=100.16, date_s=5003)
    assert reader.contradicts
    assert reader.phase() is None


def test_a_reading_is_taken_over_only_when_it_is_narrower() -> None:
    used = Phase(10.0, 10.05, 10.0)
    assert is_better(used, None, 10.0)
    assert is_better(Phase(10.0, 10.04, 20.0), used, 20.0)
    assert not is_better(Phase(10.0, 10.0495, 10.0), used, 10.0)
    assert is_better(Phase(10.0, 10.05, 20.0), used, 20.0), "as narrow and ten seconds younger"


@settings(max_examples=100)
@given(
    zero_at=st.floats(-100.0, 100.0),
    rate=st.floats(-DRIFT / 2, DRIFT / 2),
    answers=st.lists(
        st.tuples(st.floats(0.0, 30.0), st.floats(0.0, 0.5), st.floats(0.0, 0.5)), min_size=1, max_size=40
    ),
)
def test_the_true_tick_is_always_inside(zero_at: float, rate: float, answers: list[tuple[float, float, float]]) -> None:
    reader = DateReader()
    now = 1000.0
    for gap, up, down in answers:
        now += gap
        server = (now + up - zero_at) * (1 + rate)
        reader.heard(sent_at=now, seen_at=now + up + down, date_s=math.floor(server))
        phase = reader.phase()
        assert phase is not None
        seen_at = phase.read_at
        # The tick nearest to now, by the server's clock, is where `phase` says, as of now.
        tick = math.floor((seen_at - zero_at) * (1 + rate))
        tick_at = tick / (1 + rate) + zero_at
        slack = DRIFT * 2.0 + 1e-6
        assert phase.earliest + tick - slack <= tick_at <= phase.latest + tick + slack
