"""When a crashed replica may be tried again, and when a pool counts as degraded."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.pools.crashes import Crashes
from supervisor.pools.limits import Limits

LIMITS = Limits()


class Longest(Random):
    """Draws the upper end, so that a test sees the ceiling of a backoff."""

    def uniform(self, a: float, b: float) -> float:
        return b


def first_start(crashes: Crashes, number: int, now: float) -> float:
    """Return how long after `now` slot `number` may start, to 0.1 s."""
    return next(step / 10 for step in range(2000) if crashes.may_start(number, now + step / 10))


def test_slot_that_never_crashed_may_start() -> None:
    assert Crashes(LIMITS, Random(1)).may_start(1, 0.0)


def test_backoff_doubles_with_each_crash_of_the_slot() -> None:
    crashes = Crashes(Limits(crashes=100), Longest())
    seen = []
    for now in (0.0, 100.0, 200.0, 300.0):
        crashes.record(1, now, ready_for_s=0.0)
        seen.append(first_start(crashes, 1, now))
    assert seen == [0.5, 1.0, 2.0, 4.0]


def test_backoff_of_one_slot_does_not_hold_up_another() -> None:
    crashes = Crashes(LIMITS, Longest())
    crashes.record(1, 0.0, ready_for_s=0.0)
    assert not crashes.may_start(1, 0.1)
    assert crashes.may_start(2, 0.1)


def test_healthy_life_makes_earlier_crashes_forgotten() -> None:
    crashes = Crashes(LIMITS, Longest())
    for now in (0.0, 10.0, 20.0):
        crashes.record(1, now, ready_for_s=0.0)
    crashes.record(1, 200.0, ready_for_s=LIMITS.healthy_s)
    assert first_start(crashes, 1, 200.0) == LIMITS.backoff_base_s


def test_more_crashes_than_the_intensity_limit_degrade_the_pool() -> None:
    crashes = Crashes(LIMITS, Random(1))
    for n in range(LIMITS.crashes):
        crashes.record(n, float(n), ready_for_s=0.0)
    assert not crashes.is_degraded(10.0)
    crashes.record(9, 10.0, ready_for_s=0.0)
    assert crashes.is_degraded(10.0)


def test_crashes_outside_the_window_do_not_add_up() -> None:
    crashes = Crashes(LIMITS, Random(1))
    for n in range(20):
        crashes.record(1, n * LIMITS.crash_window_s / LIMITS.crashes * 1.01, ready_for_s=0.0)
    assert not crashes.is_degraded(20 * LIMITS.crash_window_s / LIMITS.crashes)


def degraded() -> Crashes:
    crashes = Crashes(LIMITS, Random(1))
    for _ in range(LIMITS.crashes + 1):
        crashes.record(1, 0.0, ready_for_s=0.0)
    return crashes


def test_degraded_pool_is_retried_at_the_cap() -> None:
    assert first_start(degraded(), 1, 0.0) == LIMITS.backoff_cap_s


def test_degraded_ends_after_a_window_without_a_crash() -> None:
    crashes = degraded()
    assert crashes.is_degraded(LIMITS.crash_window_s)
    assert not crashes.is_degraded(LIMITS.crash_window_s + 1)


def test_refused_configuration_starts_nothing_until_it_is_forgotten() -> None:
    crashes = degraded()
    crashes.refuse()
    assert not crashes.may_start(2, 1e6)
    crashes.forget()
    assert crashes.may_start(1, 0.0)
    assert not crashes.is_degraded(0.0)


@given(st.lists(st.floats(0.0, 120.0), max_size=40), st.integers(0, 99))
def test_backoff_stays_within_its_bounds(gaps: list[float], seed: int) -> None:
    crashes = Crashes(LIMITS, Random(seed))
    now = 0.0
    for gap in gaps:
        now += gap
        crashes.record(1, now, ready_for_s=0.0)
        assert crashes.may_start(1, now + LIMITS.backoff_cap_s)
