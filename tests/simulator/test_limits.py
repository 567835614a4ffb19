"""How the judge counts: three kinds of window, on moments given by hand."""

import random

import pytest

from jobs.simulator.clients import Client
from jobs.simulator.limits import FixedWindow, SlidingLog, TokenBucket, Window, window
from jobs.simulator.options import Options


def arrive(window: Window, *moments: float) -> list[bool]:
    """Let requests arrive; those within the limit count."""
    answers = []
    for now in moments:
        answers.append(window.has_room(now))
        if answers[-1]:
            window.count(now)
    return answers


def test_sliding_log_refuses_one_more_than_the_limit_in_any_second() -> None:
    log = SlidingLog(3, 1.0)
    assert arrive(log, 10.0, 10.4, 10.8, 10.9) == [True, True, True, False]
    assert arrive(log, 10.999, 11.0, 11.1) == [False, True, False]


def test_request_leaves_the_sliding_log_exactly_one_window_after_it_arrived() -> None:
    log = SlidingLog(1, 1.0)
    assert arrive(log, 5.0, 5.999999, 6.0) == [True, False, True]


def test_sliding_log_never_lets_more_than_the_limit_into_any_span() -> None:
    chance = random.Random(7)
    log, now, granted = SlidingLog(20, 1.0), 0.0, []
    for _ in range(3000):
        now += chance.expovariate(60)
        if arrive(log, now) == [True]:
            granted.append(now)
    assert all(later - first >= 1.0 for first, later in zip(granted, granted[20:], strict=False))


def test_fixed_window_forgets_everything_at_its_tick() -> None:
    fixed = FixedWindow(2, 1.0)
    assert arrive(fixed, 4.8, 4.9, 4.99, 5.0, 5.1, 5.2) == [True, True, False, True, True, False]


def test_token_bucket_starts_full_and_fills_evenly() -> None:
    bucket = TokenBucket(10, 1.0)
    assert arrive(bucket, *[100.0] * 11) == [True] * 10 + [False]
    assert arrive(bucket, 100.05, 100.1, 100.1, 100.2) == [False, True, False, True]


def test_token_bucket_holds_no_more_than_its_limit() -> None:
    bucket = TokenBucket(2, 1.0)
    assert arrive(bucket, 50.0, 99.0, 99.0, 99.0) == [True, True, True, False]


@pytest.mark.parametrize("mode", ["sliding", "fixed", "bucket"])
def test_each_mode_admits_its_limit_again_after_a_quiet_window(mode: str) -> None:
    one = window(mode, 100, 1.0)
    assert one is not None
    assert arrive(one, *[7.0] * 101) == [True] * 100 + [False]
    assert one.used(7.0) == 100
    assert arrive(one, *[8.5] * 101) == [True] * 100 + [False]


def test_limit_of_nothing_is_no_limit() -> None:
    assert window("sliding", 0, 1.0) is None


def client(**options: object) -> Client:
    return Client("osint", "secret", Options(**{"per_second": 2, "per_hour": 4, **options}))  # type: ignore[arg-type]  # a test's table


def test_refused_requests_do_not_count() -> None:
    one = client()
    assert [one.arrive(now) for now in (1.0, 1.1, 1.2, 1.9, 2.0)] == ["", "", "second", "second", ""]
    assert (one.tally.requests, one.tally.refused_second, one.used(2.0)) == (5, 2, 3)


def test_refused_requests_count_when_the_judge_is_told_so() -> None:
    one = client(count_refused=True)
    assert [one.arrive(now) for now in (1.0, 1.1, 1.2, 1.9, 2.0)] == ["", "", "second", "second", "second"]


def test_hour_refuses_with_429_or_slows_down_or_does_nothing() -> None:
    moments = [float(second) for second in range(6)]
    assert [client().arrive(0.0), *[""] * 5] == [""] * 6
    for options, last in (({}, "hour"), ({"hour_effect": "slow"}, "slow"), ({"per_hour": 0}, "")):
        one = client(**options)
        assert [one.arrive(now) for now in moments] == ["", "", "", "", last, last]


def test_request_leaves_the_hour_after_an_hour() -> None:
    one = client()
    for now in (0.0, 1.0, 2.0, 3.0):
        one.arrive(now)
    assert one.arrive(3599.9) == "hour"
    assert one.arrive(3600.0) == ""


def test_peak_is_the_most_requests_in_any_second_refused_ones_too() -> None:
    one = client(per_second=100)
    for now in (1.0, 1.9, 2.0, 2.1, 2.2, 9.0):
        one.arrive(now)
    assert one.tally.peak_second == 4
    assert (one.tally.first_at, one.tally.last_at) == (1.0, 9.0)
