"""One window: what the server may still count."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.core.errors import ConfigurationError
from supervisor.limiter.window import CLOCK_STEP_S, SlidingWindow, make_window, scaled
from supervisor.settings.config import Window


def test_an_answered_request_blocks_its_slot_for_the_window_and_a_little_more() -> None:
    window = SlidingWindow(100, 1.0)
    window.charge(10.0)
    window.expire(11.0)
    assert window.count == 1
    window.expire(11.0 + CLOCK_STEP_S)
    assert window.count == 1
    window.expire(window.frees_at)
    assert window.count == 0
    assert window.frees_at == float("inf")


def test_a_long_window_counts_a_request_at_the_end_of_its_bucket() -> None:
    window = SlidingWindow(36_000, 3600.0)
    window.charge(10.2)
    window.charge(10.9)
    assert window.entries() == [(11.0, 2)]
    window.expire(10.2 + 3600.0)
    assert window.count == 2
    window.expire(11.0 + 3602.0)
    assert window.count == 0


def test_a_moment_before_the_newest_entry_counts_as_that_one() -> None:
    window = SlidingWindow(100, 1.0)
    window.charge(10.0)
    window.charge(9.0)
    window.expire(10.5)
    assert window.count == 2


@settings(max_examples=40)
@given(
    per_s=st.sampled_from([1.0, 10.0, 120.0, 3600.0]),
    gaps=st.lists(st.floats(0.0, 400.0), max_size=60),
    looks=st.lists(st.floats(0.0, 8000.0), max_size=20),
)
def test_the_count_never_misses_a_request_younger_than_the_window(
    per_s: float, gaps: list[float], looks: list[float]
) -> None:
    window = SlidingWindow(10**6, per_s)
    moments = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    for at in moments:
        window.charge(at)
    end = moments[-1] if moments else 0.0
    for now in sorted(end + look for look in looks):
        window.expire(now)
        young = sum(now - at <= per_s for at in moments)
        old = sum(now - at <= per_s * 1.002 + per_s / 3600 + 0.01 for at in moments)
        assert young <= window.count <= old


def test_use_scales_the_limit_without_binary_surprises() -> None:
    assert scaled(Window(requests=100, per_s=1.0), 0.7) == 70
    assert scaled(Window(requests=36_000, per_s=3600.0), 0.7) == 25_200
    assert scaled(Window(requests=1, per_s=1.0), 0.1) == 1


@pytest.mark.parametrize(("mode", "theta"), [("fixed", "off"), ("sliding", "auto")])
def test_a_mode_that_is_not_built_is_refused(mode: str, theta: str) -> None:
    with pytest.raises(ConfigurationError, match="not available"):
        make_window(Window(requests=1, per_s=1.0), use=1.0, mode=mode, theta=theta)
