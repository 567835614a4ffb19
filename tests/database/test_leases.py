"""Leases in time."""

from supervisor.core.messages.replica_database import Renew
from supervisor.database.leases import LEASE_S, STRAY_AFTER_S, Leases
from tests.database.bench import Desk
from tests.support.clock import FakeClock
from tests.support.waiting import eventually


def test_renewed_leases_do_not_expire() -> None:
    leases = Leases()
    leases.granted("towns#1", [1, 2], 0.0)
    leases.renewed("towns#1", 20.0)
    assert leases.expired(20.0 + LEASE_S - 1) == []
    assert leases.expired(20.0 + LEASE_S) == ["towns#1"]


def test_replica_without_jobs_has_nothing_to_expire() -> None:
    leases = Leases()
    leases.granted("towns#1", [1], 0.0)
    leases.ended("towns#1", 1)
    assert leases.expired(1e9) == []


def test_lease_that_its_replica_never_heard_of_is_a_stray() -> None:
    leases = Leases()
    leases.granted("towns#1", [1, 2], 0.0)
    assert leases.strays("towns#1", [1], STRAY_AFTER_S) == []
    assert leases.strays("towns#1", [1], STRAY_AFTER_S + 0.1) == [2]


def test_adopted_lease_that_its_replica_does_not_name_is_a_stray_at_once() -> None:
    leases = Leases()
    leases.adopted("towns#1", 1, 0.0)
    leases.adopted("towns#1", 2, 0.0)
    assert leases.strays("towns#1", [1], 0.1) == [2]
    assert leases.expired(LEASE_S) == ["towns#1"]


async def test_job_of_a_silent_replica_is_rescued_and_its_late_finish_lost(desk: Desk, clock: FakeClock) -> None:
    await desk.enqueue("eu/paris")
    silent, other = await desk.replica("towns#1"), await desk.replica("towns#2")
    (job,) = await silent.claim()
    await clock.advance(LEASE_S)
    await desk.service.parts.rescuer.run_once()
    assert desk.noted("leases_expired") == [{"replica": "towns#1", "jobs": 1}]
    (again,) = await other.claim()
    assert (again.id, again.attempt) == (job.id, 1)
    assert await silent.finish(job) == "lost"
    assert await other.finish(again) == "done"


async def test_jump_of_the_wall_clock_ends_no_lease(desk: Desk, clock: FakeClock) -> None:
    await desk.enqueue("eu/paris")
    replica = await desk.replica()
    (job,) = await replica.claim()
    clock.jump_wall(86400.0)
    await desk.service.parts.rescuer.run_once()
    assert await replica.finish(job) == "done"


async def test_job_whose_claim_never_arrived_is_released_by_a_renewal(desk: Desk, clock: FakeClock) -> None:
    await desk.enqueue("eu/paris")
    replica = await desk.replica()
    (job,) = await replica.claim()
    await clock.advance(STRAY_AFTER_S + 1)
    replica.channel.send(Renew([job.lease]))
    assert await replica.claim() == []
    replica.channel.send(Renew([]))
    (again,) = await eventually(replica.claim)
    assert again.id == job.id
