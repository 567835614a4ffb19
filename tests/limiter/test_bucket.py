"""The bucket: never above the server's, and never without a leak."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.limiter.bucket import BucketWindow


def test_a_full_bucket_gives_one_slot_back_each_hundredth_of_a_second() -> None:
    bucket = BucketWindow(100, 1.0)
    bucket.charge(10.0, 100)
    assert bucket.count == 100
    freed = []
    for _ in range(100):
        freed.append(bucket.frees_at)
        bucket.expire(bucket.frees_at)
    assert bucket.count == 0
    assert bucket.frees_at == float("inf")
    assert freed[0] == pytest.approx(10.0115, abs=1e-4)
    assert freed[-1] == pytest.approx(11.002, abs=1e-4)


def test_part_of_a_request_holds_a_whole_slot() -> None:
    bucket = BucketWindow(10, 1.0)
    bucket.charge(10.0, 3)
    bucket.expire(10.05)
    assert bucket.count == 3
    bucket.expire(10.15)
    assert bucket.count == 2


def test_what_is_counted_ahead_of_time_does_not_leak_before() -> None:
    bucket = BucketWindow(10, 1.0)
    bucket.charge(12.0, 10)
    bucket.expire(11.0)
    assert bucket.count == 10
    assert bucket.frees_at > 12.09


def test_another_limit_keeps_the_level() -> None:
    bucket = BucketWindow(100, 1.0)
    bucket.charge(10.0, 60)
    bucket.limit = 50
    assert bucket.count == 60
    assert bucket.frees_at == pytest.approx(10.0215, abs=1e-4)


@settings(max_examples=60)
@given(gaps=st.lists(st.floats(0.0, 0.5), min_size=1, max_size=60), ways=st.lists(st.floats(0.0, 0.3), min_size=1))
def test_the_level_is_never_below_the_servers(gaps: list[float], ways: list[float]) -> None:
    """Answers come some time after the arrivals; the server counts those, we these."""
    bucket = BucketWindow(20, 1.0)
    answers: list[float] = []
    now = 100.0
    for gap in gaps:
        now += gap
        bucket.charge(now)
        answers.append(now)
    arrivals = sorted(at - ways[n % len(ways)] for n, at in enumerate(answers))
    bucket.expire(now)
    level, at = 0.0, arrivals[0]
    for arrival in arrivals:
        level = max(0.0, level - (arrival - at) * 20.0) + 1.0
        at = arrival
    assert bucket.count >= level - (now - at) * 20.0 - 1e-6
