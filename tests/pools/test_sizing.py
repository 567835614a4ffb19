"""How many replicas to start and which to drain."""

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.pools.limits import Limits
from supervisor.pools.sizing import (
    CONNECTION_LOST,
    DRAINING,
    GRACE_OVER,
    HUNG,
    READY,
    START_TIMEOUT,
    STARTING,
    STOPPED,
    Plan,
    View,
    Vigil,
    plan,
    too_heavy,
    why_kill,
)

LIMITS = Limits()


def views(*states: str, stale: bool = False, executing: int = 0) -> list[View]:
    return [
        View(number=n, state=state, executing=executing, born_at=float(n), stale=stale)
        for n, state in enumerate(states, start=1)
    ]


def test_empty_pool_fills_the_lowest_slots() -> None:
    assert plan(3, []) == Plan(spawn=(1, 2, 3))


def test_growing_keeps_what_lives() -> None:
    assert plan(4, views(READY, READY)) == Plan(spawn=(3, 4))


def test_a_lost_replica_is_replaced_in_its_own_slot() -> None:
    assert plan(3, [view for view in views(READY, READY, READY) if view.number != 2]) == Plan(spawn=(2,))


def test_shrinking_drains_the_newest_first() -> None:
    assert plan(1, views(READY, READY, READY)) == Plan(drain=(3, 2))


def test_shrinking_spares_the_busy_for_the_idle() -> None:
    busy = View(number=3, state=READY, executing=2, born_at=3.0)
    assert plan(1, [*views(READY, READY), busy]) == Plan(drain=(2, 1))


def test_shrinking_drains_what_still_starts_before_what_works() -> None:
    assert plan(2, views(STARTING, READY, READY)) == Plan(drain=(1,))


def test_draining_replicas_hold_their_slots_but_do_not_count() -> None:
    assert plan(2, views(DRAINING, DRAINING)) == Plan(spawn=(3, 4))


def test_zero_replicas_drains_all() -> None:
    assert plan(0, views(READY, STARTING)).drain == (2, 1)


def test_stale_replica_waits_for_its_successor() -> None:
    assert plan(2, views(READY, READY, stale=True)) == Plan(spawn=(3,))
    starting = View(number=3, state=STARTING, executing=0, born_at=3.0)
    assert plan(2, [*views(READY, READY, stale=True), starting]) == Plan()


def test_stale_replica_is_drained_when_its_successor_is_ready() -> None:
    successor = View(number=3, state=READY, executing=0, born_at=3.0)
    assert plan(2, [*views(READY, READY, stale=True), successor]) == Plan(drain=(2,))


def test_rolling_waits_for_the_drain_before_the_next_surge() -> None:
    draining = View(number=2, state=DRAINING, executing=1, born_at=2.0, stale=True)
    successor = View(number=3, state=READY, executing=0, born_at=3.0)
    assert plan(2, [*views(READY, stale=True), draining, successor]) == Plan()


def test_stale_pool_set_to_zero_drains_without_successors() -> None:
    assert plan(0, views(READY, READY, stale=True)) == Plan(drain=(2, 1))


@st.composite
def pools(draw: st.DrawFn) -> list[View]:
    numbers = draw(st.sets(st.integers(1, 12)))
    states = st.sampled_from([STARTING, READY, DRAINING])
    return [
        View(
            number=n, state=draw(states), executing=draw(st.integers(0, 3)), born_at=float(n), stale=draw(st.booleans())
        )
        for n in numbers
    ]


def carried_out(desired: int, pool: list[View]) -> list[View]:
    """One turn: the drained end, the spawned become ready."""
    decision = plan(desired, pool)
    kept = [v for v in pool if v.number not in decision.drain and v.state != DRAINING]
    ready = [View(number=v.number, state=READY, executing=0, born_at=v.born_at, stale=v.stale) for v in kept]
    return [*ready, *(View(number=n, state=READY, executing=0, born_at=99.0) for n in decision.spawn)]


@given(st.integers(0, 8), pools())
def test_a_plan_never_spawns_into_a_taken_slot_nor_drains_what_already_drains(desired: int, pool: list[View]) -> None:
    decision = plan(desired, pool)
    assert not set(decision.spawn) & {view.number for view in pool}
    assert set(decision.drain) <= {view.number for view in pool if view.state != DRAINING}
    live = [view for view in pool if view.state != DRAINING]
    assert len(live) + len(decision.spawn) <= max(desired + 1, len(live))


@settings(max_examples=50)
@given(st.integers(0, 8), pools())
def test_turns_lead_to_the_desired_number_of_fresh_replicas_and_then_rest(desired: int, pool: list[View]) -> None:
    for _ in range(40):
        pool = carried_out(desired, pool)
    assert len(pool) == desired
    assert not any(view.stale for view in pool)
    assert plan(desired, pool) == Plan()


@given(st.integers(0, 8), pools())
def test_a_rolling_restart_never_serves_with_fewer_than_desired(desired: int, pool: list[View]) -> None:
    serving = [v for v in pool if v.state == READY]
    if len(serving) < desired:
        return
    drained = set(plan(desired, pool).drain)
    assert sum(v.number not in drained for v in serving) >= min(desired, len(serving))


def vigil(state: str, **more: float) -> Vigil:
    return Vigil(state=state, born_at=0.0, heard_at=more.pop("heard_at", 0.0), was_ready=state != STARTING, **more)


def test_start_has_a_deadline() -> None:
    assert why_kill(vigil(STARTING), LIMITS.start_timeout_s - 0.1, LIMITS) is None
    assert why_kill(vigil(STARTING), LIMITS.start_timeout_s, LIMITS) == START_TIMEOUT


def test_silence_of_a_ready_or_draining_replica_is_a_hang() -> None:
    for state in (READY, DRAINING):
        assert why_kill(vigil(state, heard_at=10.0), 10.0 + LIMITS.silence_s - 0.1, LIMITS) is None
        assert why_kill(vigil(state, heard_at=10.0), 10.0 + LIMITS.silence_s, LIMITS) == HUNG


def test_replica_drained_before_it_was_ready_owes_no_heartbeat() -> None:
    early = Vigil(state=DRAINING, born_at=0.0, heard_at=0.0, was_ready=False, kill_at=100.0)
    assert why_kill(early, 99.0, LIMITS) is None


def test_grace_ends_at_its_moment_even_with_heartbeats() -> None:
    assert why_kill(vigil(DRAINING, heard_at=20.0, kill_at=20.5), 20.4, LIMITS) is None
    assert why_kill(vigil(DRAINING, heard_at=20.0, kill_at=20.5), 20.5, LIMITS) == GRACE_OVER


def test_process_without_connection_is_killed_soon() -> None:
    assert why_kill(vigil(READY, heard_at=5.0, lost_at=5.0), 5.0 + LIMITS.closing_s, LIMITS) == CONNECTION_LOST


def test_stopped_replica_is_left_alone() -> None:
    assert why_kill(vigil(STOPPED), 1e9, LIMITS) is None


def test_heaviest_replica_above_the_limit_is_to_be_replaced() -> None:
    assert too_heavy(views(READY, READY, READY), {1: 50, 2: 130, 3: 110}, 100) == 2
    assert too_heavy(views(READY, READY), {1: 100, 2: 99}, 100) is None


def test_one_replica_at_a_time_is_replaced_for_its_memory() -> None:
    heavy = {1: 500, 2: 400, 3: 5}
    assert too_heavy(views(READY, READY, STARTING), heavy, 100) is None
    assert too_heavy(views(READY, DRAINING, READY), heavy, 100) is None
    assert too_heavy([*views(READY), *views(READY, stale=True)], heavy, 100) is None
