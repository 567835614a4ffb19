"""theta: nothing at first, little at most, and less as soon as something speaks against it."""

import pytest

from supervisor.limiter.theta import MAX_PATHS, MIN_SAMPLES, Theta
from tests.limiter.support import learn

EU, US = "eu.example/4", "us.example/4"


def hear(theta: Theta, path: str, rtt_s: float, now: float, times: int = MIN_SAMPLES) -> None:
    for _ in range(times):
        theta.heard(path, rtt_s, now)


def test_it_is_zero_until_fifty_answers_were_seen() -> None:
    theta = Theta()
    hear(theta, EU, 0.05, 0.0, 1)
    hear(theta, EU, 0.05, 60.0, 1)
    hear(theta, EU, 0.05, 120.0, MIN_SAMPLES - 3)
    assert theta.value == 0.0
    assert theta.heard(EU, 0.06, 120.0)
    assert theta.value == pytest.approx(0.85 * 0.05 - 0.001)


def test_a_burst_alone_teaches_nothing() -> None:
    theta = Theta()
    hear(theta, EU, 0.05, 0.0, 10 * MIN_SAMPLES)
    assert theta.value == 0.0


def test_a_faster_answer_counts_at_once_and_a_slower_one_after_ten_minutes() -> None:
    theta = Theta()
    learn(theta, EU, 0.05, 0.0)
    theta.heard(EU, 0.04, 30.0)
    assert theta.value == pytest.approx(0.033)
    for minute in range(1, 11):
        hear(theta, EU, 0.08, minute * 60.0)
        assert theta.value == pytest.approx(0.033 if minute < 10 else 0.067)


def test_after_ten_silent_minutes_it_begins_anew() -> None:
    theta = Theta()
    learn(theta, EU, 0.05, 0.0)
    theta.heard(EU, 0.05, 700.0)
    assert theta.value == 0.0


def test_several_paths_allow_less_and_a_new_one_nothing_yet() -> None:
    theta = Theta()
    learn(theta, EU, 0.05, 0.0)
    theta.heard(US, 0.1, 1.0)
    assert theta.value == 0.0
    learn(theta, US, 0.1, 122.0)
    assert theta.value == pytest.approx(0.6 * 0.05 - 0.001)


def test_too_many_paths_allow_nothing() -> None:
    theta = Theta()
    for n in range(MAX_PATHS + 5):
        learn(theta, f"host {n}", 0.05, 0.0)
    assert theta.value == 0.0


def test_a_doubt_halves_it_for_ten_minutes() -> None:
    theta = Theta()
    assert not theta.doubted(0.0), "nothing to halve"
    learn(theta, EU, 0.05, 0.0)
    whole = theta.value
    assert theta.doubted(1.0)
    assert theta.value == pytest.approx(whole / 2)
    assert theta.doubted(2.0)
    for minute in range(1, 11):
        hear(theta, EU, 0.05, minute * 60.0)
        assert theta.value == pytest.approx(whole / 4)
    hear(theta, EU, 0.05, 11 * 60.0)
    assert theta.value == pytest.approx(whole)
