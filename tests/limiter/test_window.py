"""One window: what the server may still count."""

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.limiter.modes import scaled
from supervisor.limiter.phase import Phase
from supervisor.limiter.window import CLOCK_STEP_S, SlidingWindow
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


def test_theta_lets_a_slot_go_earlier_and_a_smaller_one_takes_that_back() -> None:
    window = SlidingWindow(100, 1.0)
    window.recount(10.0, 0.04, None)
    window.charge(10.0)
    window.charge(10.01)
    window.expire(10.97)
    assert window.count == 1
    window.recount(10.98, 0.0, None)
    assert window.count == 2
    window.expire(window.frees_at)
    assert window.count == 1


def test_a_phase_lets_every_slot_go_at_the_tick_and_its_loss_takes_that_back() -> None:
    window = SlidingWindow(100, 1.0)
    phase = Phase(earliest=10.0, latest=10.01, read_at=10.0)
    window.recount(10.0, 0.0, phase)
    window.charge(10.2)
    window.charge(10.9)
    window.charge(10.9999)
    assert 11.01 < window.frees_at < 11.02
    window.expire(11.01)
    assert window.count == 3
    window.expire(11.02)
    assert window.count == 1, "the last may have been counted after the tick"
    window.recount(11.05, 0.0, None)
    assert window.count == 3
    window.expire(11.5)
    assert window.count == 2


def test_a_moment_before_what_was_forgotten_counts_as_that_ones() -> None:
    window = SlidingWindow(100, 1.0)
    window.recount(10.0, 0.5, None)
    window.charge(10.0)
    window.expire(10.6)
    window.charge(9.0)
    window.recount(10.6, 0.0, None)
    assert window.entries() == [(10.0, 1), (10.0, 1)]


def test_a_long_window_takes_no_notice_of_theta() -> None:
    window = SlidingWindow(100, 3600.0)
    window.charge(10.0)
    before = window.frees_at
    window.recount(10.0, 0.04, Phase(10.0, 10.0, 10.0))
    assert window.frees_at == before


@settings(max_examples=60)
@given(
    gaps=st.lists(st.floats(0.0, 0.6), min_size=1, max_size=30),
    thetas=st.lists(st.floats(0.0, 0.2), min_size=1, max_size=30),
    phases=st.lists(st.booleans(), min_size=1, max_size=30),
)
def test_whatever_was_believed_before_the_present_rule_counts_all_that_it_must(
    gaps: list[float], thetas: list[float], phases: list[bool]
) -> None:
    """Two windows: one lives through every change of theta and phase, one knows only the last."""
    changing, last = SlidingWindow(10**6, 1.0), SlidingWindow(10**6, 1.0)
    now = 100.0
    charged: list[float] = []
    for n, gap in enumerate(gaps):
        now += gap
        phase = Phase(100.0, 100.1, 100.0) if phases[n % len(phases)] else None
        theta_s = thetas[n % len(thetas)]
        changing.recount(now, theta_s, phase)
        changing.charge(now)
        charged.append(now)
        last = SlidingWindow(10**6, 1.0)
        last.recount(now, theta_s, phase)
        for at in charged:
            last.charge(at)
        last.expire(now)
        changing.expire(now)
        assert changing.count == last.count
        assert changing.frees_at == last.frees_at
