"""Totals since the start, and rates of the last minute."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.control.measurements import MAX_ENDPOINTS, OTHERS, Measurements
from supervisor.control.rates import Rates
from supervisor.core.messages.replica_supervisor import Tally
from tests.support.clock import FakeClock


def test_a_rate_counts_ends_and_not_retries(clock: FakeClock) -> None:
    measurements = Measurements(clock)
    clock.set(clock.monotonic() + 60)
    measurements.add("guilds", Tally({"done": 100, "gone": 10, "discard": 10, "retry": 50, "snooze": 5}))
    assert measurements.per_s("guilds") == 2.0


def test_soon_after_the_start_a_rate_is_of_the_time_that_has_passed(clock: FakeClock) -> None:
    measurements = Measurements(clock)
    clock.set(clock.monotonic() + 10)
    measurements.add("guilds", Tally({"done": 100}))
    assert measurements.per_s("guilds") == 10.0


def test_what_is_older_than_a_minute_leaves_the_rate_and_stays_in_the_totals(clock: FakeClock) -> None:
    measurements = Measurements(clock)
    measurements.add("guilds", Tally({"done": 100}, saved=7, retried=2, unparsed={"guild/roster": 1}))
    clock.set(clock.monotonic() + 61)
    assert measurements.per_s("guilds") == 0.0
    assert measurements.totals["guilds"].outcomes == {"done": 100}
    assert (measurements.totals["guilds"].saved, measurements.totals["guilds"].retried) == (7, 2)
    assert measurements.unparsed == {"guild/roster": 1}


def test_a_worker_that_never_reported_has_rate_zero(clock: FakeClock) -> None:
    assert Measurements(clock).per_s("nobody") == 0.0


@given(st.lists(st.tuples(st.floats(0, 200), st.integers(0, 9)), max_size=60))
def test_the_window_holds_exactly_the_last_minute_to_a_second(steps: list[tuple[float, int]]) -> None:
    rates, now, added = Rates(0.0), 0.0, []
    for step, count in steps:
        now += step
        rates.add({"done": count}, now)
        added.append((now, count))
    held = rates.counts(now)["done"]
    assert sum(n for at, n in added if at > now - 59) <= held <= sum(n for at, n in added if at > now - 61)


def test_endpoints_that_jobs_name_are_bounded_and_nothing_goes_uncounted() -> None:
    measurements = Measurements(FakeClock())
    for start in range(0, 2000, 100):
        measurements.add("characters", Tally(unparsed={f"{n:04}" * 30: 1 for n in range(start, start + 100)}))
    assert len(measurements.unparsed) <= MAX_ENDPOINTS + 1
    assert measurements.unparsed[OTHERS] == 2000 - MAX_ENDPOINTS
    assert sum(measurements.unparsed.values()) == 2000
