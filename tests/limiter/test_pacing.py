"""The paced hour: who may go when much is spent."""

from supervisor.limiter.pacing import Pacing

URGENT, NORMAL, BACKGROUND = 0, 1, 2


def spend(pacing: Pacing, now: float) -> int:
    """Draw background requests until the pace says no; return how many."""
    drawn = 0
    while pacing.level(0, now) == BACKGROUND:
        pacing.granted(BACKGROUND, now)
        drawn += 1
    return drawn


def test_background_gets_a_burst_of_a_thousand_and_then_nine_a_second() -> None:
    pacing = Pacing(36_000, 3600.0)
    assert spend(pacing, 100.0) == 1000
    assert sum(spend(pacing, 100.0 + second) for second in range(1, 101)) in range(899, 902)


def test_a_small_limit_has_a_small_burst() -> None:
    assert spend(Pacing(360, 3600.0), 0.0) == 10
    assert spend(Pacing(1, 3600.0), 0.0) == 1


def test_the_last_tenth_is_for_urgent_alone() -> None:
    pacing = Pacing(36_000, 3600.0)
    assert pacing.level(32_399, 0.0) == BACKGROUND
    assert pacing.level(32_400, 0.0) == URGENT
    assert pacing.level(35_999, 0.0) == URGENT


def test_normal_may_burst_while_background_waits_for_its_pace() -> None:
    pacing = Pacing(36_000, 3600.0)
    spend(pacing, 0.0)
    assert pacing.level(1000, 0.0) == NORMAL


def test_no_burst_is_earned_while_the_open_share_is_spent() -> None:
    pacing = Pacing(36_000, 3600.0)
    spend(pacing, 0.0)
    for second in range(240):
        assert pacing.level(32_400, float(second)) == URGENT
    assert spend(pacing, 239.0) <= 1
    assert spend(pacing, 240.0) == 9


def test_a_request_not_sent_gives_its_draw_back() -> None:
    pacing = Pacing(1, 3600.0)
    pacing.granted(BACKGROUND, 0.0)
    assert pacing.level(0, 1.0) == NORMAL
    pacing.not_sent(BACKGROUND)
    assert pacing.level(0, 1.0) == BACKGROUND


def test_a_restart_brings_no_second_burst_and_no_debt() -> None:
    pacing = Pacing(36_000, 3600.0)
    pacing.replay([(second, 50) for second in range(100)], now=100.0)
    assert spend(pacing, 100.0) <= 1
    assert spend(pacing, 101.0) >= 8
