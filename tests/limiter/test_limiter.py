"""Messages in, grants and refusals out."""

import pytest

from supervisor.core.errors import WireError
from supervisor.core.messages.replica_supervisor import (
    BUSY,
    DRAINING,
    NO_KEY,
    NO_PERMIT,
    TIMEOUT_WAITING,
    Acquire,
    Grant,
)
from supervisor.limiter.limiter import MAX_TURNED_AWAY, MAX_WAITING_PER_CONNECTION
from supervisor.limiter.past import LINGER_S
from supervisor.limiter.permit import HOLD_LIMIT_S
from supervisor.limiter.window import SlidingWindow
from supervisor.settings.config import Window
from supervisor.worker.permits import MAX_AGE_S
from tests.limiter.support import SECOND, Bench, api, config, key, worker

# When a slot answered at 0 may be used again: the window and its eps.
WINDOW_S = SlidingWindow(1, 1.0)._blocks_s


def test_a_grant_carries_the_credential_of_its_key() -> None:
    grant = Bench().replica().get()
    assert grant is not None
    assert grant.headers == {"Authorization": "Bearer osint-1"}
    assert grant.key == "osint-1"


def test_the_window_is_full_at_its_limit_and_frees_a_window_after_the_answers() -> None:
    bench = Bench()
    replica = bench.replica()
    assert len(replica.exhaust()) == 100
    for grant in replica.grants:
        replica.answered(grant)
    replica.ask()
    bench.advance(WINDOW_S - 0.0001)
    assert len(replica.grants) == 100
    bench.advance(0.0002)
    assert len(replica.grants) == 101
    assert len(replica.exhaust()) == 99


def test_a_slow_answer_holds_its_slot_until_a_window_after_it() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    bench.advance(20.0)
    assert replica.get() is None
    replica.answered(replica.grants[0])
    bench.advance(WINDOW_S + 0.001)
    assert len(replica.grants) == 101


def test_many_waiters_get_their_permits_in_one_go_when_a_window_frees() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    for grant in replica.grants:
        replica.answered(grant)
    for _ in range(100):
        replica.ask()
    before = bench.ticks
    bench.advance(1.5)
    assert len(replica.grants) == 200
    assert bench.ticks - before <= 2


def test_a_permit_given_back_unsent_is_free_at_once() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    replica.ask()
    replica.not_sent(replica.grants[0])
    assert len(replica.grants) == 101


def test_a_request_of_unknown_fate_keeps_its_slot_for_linger_and_window() -> None:
    """Counterexample 4 of the specification: a client's timeout is not an answer."""
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    replica.unknown(replica.grants[0])
    replica.ask()
    bench.advance(LINGER_S + WINDOW_S - 0.001)
    assert len(replica.grants) == 100
    bench.advance(0.002)
    assert len(replica.grants) == 101


def test_a_connection_that_ends_frees_no_slot_before_linger_and_window() -> None:
    """Counterexample 6: the kernel sends what a killed process left in its socket buffers."""
    bench = Bench()
    dead, alive = bench.replica(), bench.replica()
    dead.exhaust()
    bench.limiter.disconnect(dead.number, bench.now)
    alive.ask()
    bench.advance(LINGER_S + WINDOW_S - 0.001)
    assert alive.grants == []
    bench.advance(0.002)
    assert len(alive.grants) == 1


def test_a_permit_that_nobody_speaks_of_is_counted_after_its_hold_limit() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    bench.advance(HOLD_LIMIT_S + LINGER_S + WINDOW_S + 0.1)
    assert len(bench.heard.named("permit_overdue")) == 100
    assert replica.get()


@pytest.mark.parametrize("timeout_s", [5.0, 30.0, 120.0])
def test_a_request_sent_at_the_last_moment_ends_before_the_hold_limit(timeout_s: float) -> None:
    bench = Bench(config(api(timeout_s=timeout_s)))
    assert bench.replica().get()
    bench.advance(MAX_AGE_S + timeout_s)
    assert not bench.heard.named("permit_overdue")


def test_a_late_answer_after_the_hold_limit_is_taken_while_it_lingers_and_ignored_afterwards() -> None:
    bench = Bench()
    replica = bench.replica()
    first, second = replica.get(), replica.get()
    assert first is not None and second is not None
    bench.advance(HOLD_LIMIT_S + 0.1)
    replica.answered(first)
    bench.advance(LINGER_S)
    replica.answered(second)
    assert bench.key().quota.in_flight == 0
    assert len(bench.limiter.permits) == 0


def test_a_permit_is_given_back_only_by_the_connection_that_has_it_and_once() -> None:
    bench = Bench()
    owner, other = bench.replica(), bench.replica()
    grant = owner.get()
    assert grant is not None
    with pytest.raises(WireError, match="not its own"):
        other.not_sent(grant)
    with pytest.raises(WireError, match="not its own"):
        owner.not_sent(Grant(1, grant.permit + 1, "nobody's"))
    assert bench.key().quota.in_flight == 1
    owner.not_sent(grant)
    owner.not_sent(grant)
    assert bench.key().quota.in_flight == 0


def test_who_asks_on_and_on_though_it_is_told_busy_is_out_of_step() -> None:
    bench = Bench()
    replica, other = bench.replica(), bench.replica()
    replica.exhaust()
    with pytest.raises(WireError, match="again and again"):
        for _ in range(1_000_000):
            replica.ask()
    assert len(replica.refusals) == MAX_TURNED_AWAY
    other.ask()
    bench.limiter.disconnect(replica.number, bench.now)
    bench.advance(LINGER_S + 5.0)
    assert other.grants


def test_a_waiter_is_refused_at_its_deadline_and_never_granted_late() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    for grant in replica.grants:
        replica.answered(grant)
    replica.ask(wait_s=0.5)
    # The timer comes late, when the window is free again: the deadline still holds.
    bench.now += 5.0
    bench.limiter.tick(bench.now)
    assert replica.refusals == [TIMEOUT_WAITING]
    assert len(replica.grants) == 100


def test_a_deadline_in_the_past_is_refused_at_once() -> None:
    replica = Bench().replica()
    replica.ask(wait_s=-1.0)
    assert replica.refusals == [TIMEOUT_WAITING]


def test_a_cancelled_waiter_gets_nothing() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    ask = replica.ask()
    replica.cancel(ask)
    replica.not_sent(replica.grants[0])
    assert len(replica.grants) == 100
    assert bench.limiter.dispatcher.waiting == 0


def test_waiting_permits_of_a_connection_are_bounded() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    for _ in range(MAX_WAITING_PER_CONNECTION + 3):
        replica.ask()
    assert replica.refusals == [BUSY] * 3


def test_a_worker_without_a_key_is_told_so_at_once() -> None:
    bench = Bench(config(worker(), worker("items", "dma")))
    replica = bench.replica("items")
    replica.ask()
    replica.ask(start=True)
    assert replica.refusals == [NO_KEY, NO_KEY]


def test_a_region_that_no_key_serves_is_told_so_at_once() -> None:
    bench = Bench(config(key(regions=("eu",))))
    replica = bench.replica()
    replica.ask(region="us")
    assert replica.refusals == [NO_KEY]
    assert replica.get(region="eu")


def test_a_request_is_refused_while_every_key_is_quarantined_but_a_start_waits() -> None:
    bench = Bench()
    bench.waiting(characters=[0, 0, 1])
    bench.limiter.judge.quarantine(bench.key(), "refused")
    replica = bench.replica()
    replica.ask()
    replica.ask(start=True)
    assert replica.refusals == [NO_KEY]
    assert len(bench.heard.named("key_quarantined")) == 1


def test_waiters_go_when_a_token_comes() -> None:
    bench = Bench(has_credentials=False)
    replica = bench.replica()
    replica.ask()
    assert replica.answers == []
    bench.arm_keys()
    assert len(replica.grants) == 1


def test_drain_answers_every_waiter_and_serves_started_jobs_only_soon() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    replica.ask()
    replica.ask(start=True)
    bench.limiter.drain()
    assert replica.refusals == [DRAINING, DRAINING]
    replica.ask(start=True)
    assert replica.refusals == [DRAINING] * 3
    replica.ask()
    replica.not_sent(replica.grants[0])
    assert len(replica.grants) == 101
    replica.ask(wait_s=600.0)
    bench.advance(3.0)
    assert replica.refusals == [DRAINING] * 4


def test_a_replica_that_drains_gets_no_start_but_its_jobs_go_on() -> None:
    bench = Bench()
    bench.waiting(characters=[0, 0, 0])
    replica, other = bench.replica(), bench.replica()
    replica.ask(start=True)
    other.ask(start=True)
    bench.limiter.stop_starts(replica.number)
    assert replica.refusals == [DRAINING]
    bench.waiting(characters=[0, 0, 5])
    assert len(other.grants) == 1
    assert replica.get()


def test_messages_of_a_connection_that_is_gone_are_ignored() -> None:
    bench = Bench()
    replica = bench.replica()
    grant = replica.get()
    assert grant is not None
    bench.limiter.disconnect(replica.number, bench.now)
    bench.limiter.disconnect(replica.number, bench.now)
    bench.limiter.acquire(replica.number, Acquire(1, False, 0, bench.now + 1), bench.now)
    replica.cancel(1)
    assert len(replica.answers) == 1


def test_a_start_of_a_worker_that_sends_nothing_needs_no_key_but_a_job() -> None:
    bench = Bench(config(worker("chores", "nobody", sends_requests=False)))
    first, second = bench.replica("chores"), bench.replica("chores")
    first.ask(start=True)
    second.ask(start=True)
    assert first.grants == second.grants == []
    bench.waiting(chores=[0, 1, 0])
    assert [grant.permit for grant in first.grants + second.grants] == [NO_PERMIT]
    bench.waiting(chores=[0, 1, 0])
    assert [grant.permit for grant in first.grants + second.grants] == [NO_PERMIT, NO_PERMIT]
    assert len(bench.limiter.permits) == 0


def test_a_start_that_needs_no_key_obeys_pause_and_drain() -> None:
    bench = Bench(config(worker("chores", "nobody", sends_requests=False, paused=True)))
    replica = bench.replica("chores")
    replica.ask(start=True)
    bench.waiting(chores=[0, 5, 0])
    assert replica.grants == []
    bench.configure(config(worker("chores", "nobody", sends_requests=False)))
    assert len(replica.grants) == 1
    bench.limiter.drain()
    replica.ask(start=True)
    assert replica.refusals == [DRAINING]


def test_an_hour_that_is_taken_out_and_put_back_has_forgotten_nothing() -> None:
    with_hour = config(api(windows=(SECOND, Window(requests=300, per_s=3600.0)), hour="burst"))
    bench = Bench(with_hour)
    replica = bench.replica()

    def spend(seconds: int) -> int:
        sent = 0
        for _ in range(seconds):
            for grant in replica.exhaust():
                sent += 1
                replica.answered(grant)
            bench.advance(1.1)
        return sent

    assert spend(2) == 200
    bench.configure(config(api(windows=(SECOND,), hour="burst")))
    spend(3)
    bench.configure(with_hour)
    assert spend(5) == 0
    bench.advance(3600.0)
    assert spend(5) == 300
