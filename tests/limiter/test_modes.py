"""mode, theta, phase and hour: what each changes, live, and that nothing spent is forgotten by a change."""

from typing import Any

import pytest

from supervisor.core.messages.replica_supervisor import ANSWERED, Grant, Release
from supervisor.limiter.evidence import FALL_BACK_S
from supervisor.limiter.past import LINGER_S
from supervisor.limiter.theta import MAX_THETA_S, MIN_MINUTES, MIN_SAMPLES
from supervisor.settings.config import Window
from tests.limiter.support import HOUR, SECOND, Bench, Replica, api, config

NOW = 1000.0
UNIX = 1_700_000_000
ZERO_AT = NOW - UNIX


def bench_of(**settings: Any) -> tuple[Bench, Replica]:
    bench = Bench(config(api(**({"windows": (SECOND,)} | settings))), now=NOW)
    return bench, bench.replica()


def spend(replica: Replica, requests: int = 100) -> None:
    for _ in range(requests):
        grant = replica.get()
        assert grant is not None
        replica.answered(grant)


def after(bench: Bench, replica: Replica, seconds: float) -> int:
    """Return how many permits can be had so much later."""
    bench.advance(seconds)
    return len(replica.exhaust())


def answer(replica: Replica, **seen: Any) -> None:
    """Take a permit and give it back as a replica that reports what it sees."""
    grant = replica.get()
    assert grant is not None
    report(replica, grant, **seen)


def report(replica: Replica, grant: Grant, *, status: int = 200, date_s: int = 0, rtt_s: float = 0.1) -> None:
    replica._release(Release(grant.permit, ANSWERED, status, rtt_s, -1.0, date_s, "eu/4"))


def learn_theta(bench: Bench, replica: Replica) -> int:
    """Send what `theta = "auto"` wants to have seen; return how many requests of it were the last."""
    for _ in range(MIN_MINUTES - 1):
        answer(replica)
        bench.advance(60.0)
    last = MIN_SAMPLES - MIN_MINUTES + 1
    for _ in range(last):
        answer(replica)
    return last


def advance_to(bench: Bench, part: float) -> None:
    """Move on to the next moment at `part` of a second."""
    bench.advance((part - bench.now) % 1.0)


def test_a_bucket_gives_a_slot_back_each_hundredth_of_a_second() -> None:
    bench, replica = bench_of(mode="bucket")
    spend(replica)
    assert after(bench, replica, 0.102) == 10


def test_a_bucket_holds_what_is_in_flight_in_full() -> None:
    bench, replica = bench_of(mode="bucket")
    assert len(replica.exhaust()) == 100
    assert after(bench, replica, 10.0) == 0


def test_long_windows_of_a_bucket_slide() -> None:
    bench, replica = bench_of(mode="bucket", windows=(SECOND, Window(requests=150, per_s=3600.0)), hour="burst")
    spend(replica)
    bench.advance(1.1)
    spend(replica, 50)
    assert after(bench, replica, 3000.0) == 0


def test_a_configured_phase_frees_everything_at_the_tick() -> None:
    bench, replica = bench_of(mode="fixed", phase_s=0.25)
    bench.limiter.set_wall(ZERO_AT, bench.now)
    bench.advance(0.5)
    spend(replica)
    assert after(bench, replica, 0.74) == 0
    assert after(bench, replica, 0.02) == 100


def test_without_a_wall_clock_a_configured_phase_slides() -> None:
    bench, replica = bench_of(mode="fixed", phase_s=0.0)
    bench.advance(0.5)
    spend(replica)
    assert after(bench, replica, 0.99) == 0
    assert after(bench, replica, 0.02) == 100


def test_what_is_in_flight_over_a_tick_holds_its_slot() -> None:
    bench, replica = bench_of(mode="fixed", phase_s=0.0)
    bench.limiter.set_wall(ZERO_AT, bench.now)
    bench.advance(0.9)
    held = replica.exhaust()
    assert after(bench, replica, 0.2) == 0
    replica.answered(held[0])
    assert after(bench, replica, 0.8) == 0, "perhaps counted after the tick"
    assert after(bench, replica, 0.2) == 1


def test_the_phase_is_learnt_from_the_dates_of_answers() -> None:
    """The server's second begins with ours; an answer before and one after it show that within 60 ms."""
    bench, replica = bench_of(mode="fixed")
    for begin, date_s in ((0.94, UNIX), (0.98, UNIX + 1)):
        advance_to(bench, begin)
        grant = replica.get()
        assert grant is not None
        bench.advance(0.04)
        report(replica, grant, date_s=date_s)
    advance_to(bench, 0.5)
    spend(replica, 98)
    advance_to(bench, 0.99)
    assert after(bench, replica, 0.0) <= 2
    assert after(bench, replica, 0.05) >= 98
    assert bench.heard.named("mode_doubted") == []


def test_a_429_makes_fixed_windows_slide_for_an_hour_and_says_so() -> None:
    bench, replica = bench_of(mode="fixed", phase_s=0.0)
    bench.limiter.set_wall(ZERO_AT, bench.now)
    grants = replica.exhaust()
    for n, grant in enumerate(grants):
        report(replica, grant, status=429 if n == 0 else 200)
    [event] = bench.heard.named("mode_doubted")
    assert event["key"] == "osint-1"
    assert "sliding for an hour" in event["why"]
    bench.advance(5.0)
    answer(replica)
    bench.advance(60.0)
    assert spent_before_a_tick_and_free_after(bench, replica) < 5
    bench.advance(FALL_BACK_S)
    bench.limiter.set_wall(ZERO_AT, bench.now)
    assert spent_before_a_tick_and_free_after(bench, replica) == 100


def spent_before_a_tick_and_free_after(bench: Bench, replica: Replica) -> int:
    advance_to(bench, 0.9)
    for grant in replica.exhaust():
        report(replica, grant)
    return after(bench, replica, 0.2)


def test_dates_that_contradict_each_other_are_believed_no_more() -> None:
    bench, replica = bench_of(mode="fixed")
    answer(replica, date_s=UNIX)
    answer(replica, date_s=UNIX + 5)
    [event] = bench.heard.named("mode_doubted")
    assert "contradict" in event["why"]


def test_theta_frees_slots_earlier_once_fifty_answers_were_seen() -> None:
    bench, replica = bench_of(theta="auto")
    last = learn_theta(bench, replica)
    theta_s = 0.85 * 0.1 - 0.001
    assert bench.key().quota.evidence.theta_s == pytest.approx(theta_s)
    replica.exhaust()
    assert after(bench, replica, 1.0 - theta_s) == 0
    assert after(bench, replica, 0.003) == last


def test_a_429_halves_theta_and_what_was_free_by_it_counts_again() -> None:
    bench, replica = bench_of(theta="auto")
    last = learn_theta(bench, replica)
    grant = replica.get()
    assert grant is not None
    bench.advance(0.93)
    window = bench.key().quota.windows[0]
    window.expire(bench.now)
    assert window.count == 0
    report(replica, grant, status=429)
    [event] = bench.heard.named("mode_doubted")
    assert "theta is halved" in event["why"]
    assert window.count == last + 1


def test_several_429s_of_one_park_are_one_doubt() -> None:
    bench, replica = bench_of(theta="auto")
    learn_theta(bench, replica)
    first, second = replica.get(), replica.get()
    assert first is not None and second is not None
    report(replica, first, status=429)
    report(replica, second, status=429)
    assert len(bench.heard.named("mode_doubted")) == 1


def test_an_exhausted_hour_is_no_reason_to_doubt() -> None:
    bench, replica = bench_of(theta="auto")
    learn_theta(bench, replica)
    grant = replica.get()
    assert grant is not None
    replica.answered(grant, 429, retry_after_s=900.0)
    assert bench.heard.named("mode_doubted") == []


def test_the_round_trip_of_a_token_says_nothing_of_the_way_to_the_api() -> None:
    bench, _ = bench_of(theta="auto")
    one = bench.key()
    for _ in range(MIN_SAMPLES):
        permit = bench.limiter.permits.grant(one, 0, "(token)", 0, bench.now)
        bench.limiter.release(0, Release(permit.id, ANSWERED, 200, 0.5), bench.now)
        bench.advance(5.0)
    assert one.quota.evidence.theta_s == 0.0


def test_a_request_of_unknown_fate_counts_theta_longer() -> None:
    bench, replica = bench_of(theta="auto", windows=(Window(requests=51, per_s=1.0),))
    learn_theta(bench, replica)
    grant = replica.get()
    assert grant is not None
    replica.unknown(grant)
    bench.advance(LINGER_S + 0.001)
    theta_s = bench.key().quota.evidence.theta_s
    assert theta_s > 0.08
    bench.advance(0.999 + MAX_THETA_S - theta_s)
    window = bench.key().quota.windows[0]
    window.expire(bench.now)
    assert window.count == 1, "no answer is behind it that theta could count back from"
    window.expire(bench.now + 0.003)
    assert window.count == 0


@pytest.mark.parametrize("mode", ["bucket", "fixed"])
def test_another_mode_forgets_nothing_that_was_spent(mode: str) -> None:
    bench, replica = bench_of(windows=(SECOND, HOUR), hour="burst")
    spend(replica)
    bench.configure(config(api(windows=(SECOND, HOUR), mode=mode, hour="burst")))
    assert len(replica.exhaust()) == 0
    assert bench.key().quota.longest.count == 100
    bench.advance(1.01)
    assert len(replica.exhaust()) == 100
    bench.configure(config(api(windows=(SECOND, HOUR), hour="burst")))
    assert bench.key().quota.longest.count == 100


def test_theta_off_takes_back_at_once_what_auto_gave() -> None:
    bench, replica = bench_of(theta="auto")
    last = learn_theta(bench, replica)
    bench.advance(0.93)
    bench.configure(config(api(windows=(SECOND,))))
    assert after(bench, replica, 0.0) == 100 - last
    assert after(bench, replica, 0.08) == last


def test_an_hour_that_becomes_paced_gives_no_second_burst() -> None:
    windows = (Window(requests=1000, per_s=1.0), HOUR)
    bench, replica = bench_of(windows=windows, hour="burst")
    bench.waiting(characters=[0, 0, 10_000])
    for _ in range(1000):
        grant = replica.get(priority=2)
        assert grant is not None
        replica.answered(grant)
    bench.advance(1.01)
    bench.configure(config(api(windows=windows, hour="paced")))
    taken = 0
    while grant := replica.get(priority=2):
        replica.answered(grant)
        taken += 1
    assert taken < 20
    replica.cancel(replica.last_ask)
    bench.configure(config(api(windows=windows, hour="burst")))
    assert replica.get(priority=2) is not None


def test_a_smaller_share_is_in_force_at_once_in_a_bucket() -> None:
    bench, replica = bench_of(mode="bucket")
    spend(replica, 60)
    bench.configure(config(api(windows=(SECOND,), mode="bucket", use=0.5)))
    assert after(bench, replica, 0.0) == 0
    assert after(bench, replica, 0.5) == pytest.approx(14, abs=1)


def test_a_window_that_starts_full_stays_so_when_the_share_rises() -> None:
    bench, replica = bench_of()
    spend(replica)
    bench.configure(config(api(windows=(SECOND,), mode="bucket", use=0.4)))
    bench.configure(config(api(windows=(SECOND,), mode="bucket")))
    assert after(bench, replica, 0.0) == 0
