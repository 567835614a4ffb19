"""How slots and keys press on each other: what autoscale is told."""

from supervisor.limiter.quota import NOTHING
from supervisor.limiter.statistics import pressure_of, statistics_of
from tests.limiter.support import Bench, Replica, api, config, worker


def test_with_work_and_room_nobody_is_held() -> None:
    bench = Bench()
    bench.waiting(characters=[0, 0, 50])
    assert bench.replica().get(start=True) is not None
    pressure = pressure_of(bench.limiter, "characters", bench.now)
    assert (pressure.claimable, pressure.held, pressure.held_by, pressure.has_room) == (49, 0, "", True)


def test_slots_that_wait_for_a_spent_key_are_held_by_its_second() -> None:
    bench = Bench()
    bench.waiting(characters=[0, 0, 50])
    replica = bench.replica()
    replica.exhaust()
    for _ in range(3):
        replica.ask(start=True)
    pressure = pressure_of(bench.limiter, "characters", bench.now)
    assert (pressure.held, pressure.held_by, pressure.has_room) == (3, "second", False)


def test_slots_that_wait_for_work_are_not_held() -> None:
    bench = Bench()
    replica = bench.replica()
    for _ in range(3):
        replica.ask(start=True)
    pressure = pressure_of(bench.limiter, "characters", bench.now)
    assert (pressure.claimable, pressure.held, pressure.has_room) == (0, 0, False)


def test_a_paced_hour_holds_background_starts() -> None:
    bench = Bench(config(api(hour="paced")))
    bench.waiting(characters=[0, 0, 5000])
    replica = bench.replica()
    answered = 0
    for _ in range(1500):
        replica.ask(start=True)
        bench.advance(0.012)
        for grant in replica.grants[answered:]:
            replica.answered(grant)
            answered += 1
    pressure = pressure_of(bench.limiter, "characters", bench.now)
    assert (pressure.held_by, pressure.has_room) == ("hour", False)
    assert pressure.held > 0


def test_a_paused_worker_has_no_room() -> None:
    bench = Bench(config(worker(paused=True)))
    bench.waiting(characters=[0, 0, 50])
    bench.replica().ask(start=True)
    pressure = pressure_of(bench.limiter, "characters", bench.now)
    assert (pressure.held, pressure.has_room) == (0, False)


def test_answers_are_counted_by_worker_and_kind() -> None:
    bench = Bench(config(worker(), worker("guilds")))
    replica, other = bench.replica(), bench.replica("guilds")
    for status in (200, 404, 429, 500, 503):
        grant = replica.get()
        assert grant is not None
        replica.answered(grant, status)
        bench.advance(120.0)
    grant = other.get()
    assert grant is not None
    other.answered(grant, 500)
    pressure = pressure_of(bench.limiter, "characters", bench.now)
    assert (pressure.granted, pressure.refused, pressure.failed) == (5, 1, 2)


def answer_all(replica: Replica) -> None:
    for grant in replica.grants:
        replica.answered(grant)


def is_kept_waiting(bench: Bench) -> bool:
    return statistics_of(bench.limiter, bench.now).workers["characters"].is_kept_waiting


def test_a_worker_whose_permits_are_waited_for_is_kept_waiting_also_between_two_bursts() -> None:
    bench = Bench(config(api(hour="burst")))
    replica = bench.replica()
    for _ in range(150):
        replica.ask()
    assert not is_kept_waiting(bench)
    answer_all(replica)
    bench.advance(1.1)
    assert bench.key().level(bench.now) > NOTHING
    assert is_kept_waiting(bench)
    answer_all(replica)
    bench.advance(1.1)
    for _ in range(90):
        assert replica.get() is not None
    assert not is_kept_waiting(bench)


def test_slots_that_waited_for_a_job_were_not_kept_waiting_by_a_key() -> None:
    bench = Bench()
    replica = bench.replica()
    for _ in range(50):
        replica.ask(start=True)
    for _ in range(50):
        bench.advance(1.0)
        bench.waiting(characters=[0, 0, 1])
    assert len(replica.grants) == 50
    assert not is_kept_waiting(bench)


def test_a_worker_whose_jobs_need_no_key_is_never_kept_waiting_by_one() -> None:
    bench = Bench(config(worker(sends_requests=False)))
    replica = bench.replica()
    for _ in range(50):
        replica.ask(start=True)
    bench.advance(5.0)
    bench.waiting(characters=[0, 0, 1000])
    assert len(replica.grants) == 50
    assert not is_kept_waiting(bench)
