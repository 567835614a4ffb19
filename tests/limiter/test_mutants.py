"""A limiter that is wrong in one of the classic ways must be found out, or the zeros elsewhere say nothing."""

import math
from typing import Any

import pytest

from tests.limiter.network import BASE_S
from tests.limiter.saturation import Mutant, Saturation

TOO_MUCH_S = BASE_S + 0.010
"""theta 10 ms beyond the least that the way up and the way down can take together."""


def complaints(
    mutant: Mutant, *, jitter_s: float = 0.01, timeout_s: float = math.inf, requests: int = 6_000, **settings: Any
) -> list[str]:
    run = Saturation(11, jitter_s=jitter_s, mutant=mutant, timeout_s=timeout_s, stall_every_s=20.0, **settings)
    return run.run(requests).complaints(within=0.01)


def refused(mutant: Mutant, **settings: Any) -> bool:
    return any("refused" in one for one in complaints(mutant, **settings))


def test_the_unchanged_limiter_is_found_to_be_right() -> None:
    assert complaints(Mutant()) == []
    assert not refused(Mutant(), jitter_s=0.03, timeout_s=0.3)


def test_ten_milliseconds_more_theta_are_found() -> None:
    assert refused(Mutant(theta_more_s=TOO_MUCH_S))


@pytest.mark.slow
def test_ten_milliseconds_more_theta_are_found_in_worse_jitter() -> None:
    assert refused(Mutant(theta_more_s=TOO_MUCH_S), jitter_s=0.03, requests=50_000)


def test_theta_at_the_bound_is_right() -> None:
    assert not refused(Mutant(theta_more_s=BASE_S))


def test_a_linger_of_nothing_is_found() -> None:
    assert refused(Mutant(linger_s=0.0), jitter_s=0.03, timeout_s=0.3)


@pytest.mark.parametrize("mode", ["sliding", "fixed"])
def test_a_charge_at_the_send_is_found(mode: str) -> None:
    assert refused(Mutant(charges_at_send=True), jitter_s=0.08, mode=mode, phase_s=0.0)


def test_a_bucket_that_leaks_a_hundredth_too_fast_is_found() -> None:
    assert refused(Mutant(limit=101), mode="bucket")


def test_a_release_that_rides_60_ms_late_is_found() -> None:
    [found] = complaints(Mutant(late_release_s=0.06))
    assert found.startswith("used ")


def test_a_release_at_the_end_of_the_body_is_found() -> None:
    [found] = complaints(Mutant(late_release_s=0.3))
    assert found.startswith("used ")


def test_a_hidden_retry_is_found() -> None:
    assert refused(Mutant(retried=0.01))
