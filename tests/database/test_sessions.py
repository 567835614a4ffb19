"""Replicas on the real socket."""

import asyncio
import threading

from supervisor.core.job import Effect, NewJob
from supervisor.core.messages.replica_database import (
    Claim,
    Claimed,
    Failed,
    Finish,
    Finished,
    GiveBack,
    Rows,
    Stage,
    Stored,
)
from supervisor.core.messages.supervisor_database import ReplicaExited
from supervisor.database.exits import LEASES_ENDED
from tests.database.bench import Desk, Replica
from tests.support.waiting import eventually


async def test_job_goes_from_enqueue_to_done(desk: Desk) -> None:
    (job_id,) = await desk.enqueue("EU/Paris")
    replica = await desk.replica()
    (job,) = await replica.claim()
    assert (job.id, job.entity, job.worker) == (job_id, "eu/paris", "towns")
    effects = [Effect("town_weather", [{"weather": "sun"}])]
    assert await replica.finish(job, effects=effects, requests=2) == "done"
    assert await replica.finish(job, effects=effects) == "already done"
    (row,) = await desk.rows("SELECT state, requests FROM jobs")
    assert (row["state"], row["requests"]) == ("completed", 2)


async def test_bad_row_fails_its_own_job_for_good(desk: Desk) -> None:
    await desk.enqueue("eu/paris", "eu/london")
    replica = await desk.replica()
    bad, good = await replica.claim(2)
    effects = [Effect("town_weather", [{"weather": ["a", "list"]}])]
    refusal, result = await asyncio.gather(
        replica.ask(lambda call: Finish(call, bad.id, bad.lease, "done", effects=effects)), replica.finish(good)
    )
    assert isinstance(refusal, Failed)
    assert not refusal.retryable
    assert "town_weather" in refusal.error
    assert result == "done"
    assert await replica.finish(bad, "discard", error=refusal.error) == "done"


async def test_bulk_rows_are_stored_ahead_of_the_finish(desk: Desk) -> None:
    await desk.enqueue("eu/7", worker="markets")
    replica = await desk.replica("markets#1")
    (job,) = await replica.claim()
    rows = [{"stall": i, "price": i} for i in range(500)]
    reply = await replica.ask(lambda call: Rows(call, job.id, job.lease, Effect("market_stall", rows)))
    assert isinstance(reply, Stored)
    (row,) = await desk.rows("SELECT count(*) AS n, max(lease) AS lease FROM stalls")
    assert (row["n"], row["lease"]) == (500, job.lease)


async def test_bulk_rows_stop_when_the_disk_is_short_and_the_queue_goes_on(desk: Desk) -> None:
    await desk.enqueue("eu/7", worker="markets")
    replica = await desk.replica("markets#1")
    (job,) = await replica.claim()
    desk.service.parts.disk.bulk_stopped = True
    reply = await replica.ask(lambda call: Rows(call, job.id, job.lease, Effect("market_stall", [{"stall": 1}])))
    assert isinstance(reply, Failed)
    assert reply.retryable
    assert await replica.finish(job, "retry", after_s=60.0) == "done"


async def test_staged_follow_ups_come_with_the_finish(desk: Desk) -> None:
    await desk.enqueue("eu/paris")
    replica, markets = await desk.replica(), await desk.replica("markets#1")
    (job,) = await replica.claim()
    jobs = [NewJob(worker="markets", entity=f"eu/{n}") for n in range(1, 401)]
    for _ in range(2):  # a replica repeats what was not answered
        assert isinstance(await replica.ask(lambda call: Stage(call, job.id, job.lease, jobs)), Stored)
    assert await markets.claim() == []
    await replica.finish(job)
    await desk.service.parts.mover.run_once()
    assert desk.service.parts.counts.total("markets", "available") == 400


async def test_follow_ups_that_nobody_can_run_are_dropped_and_counted(desk: Desk) -> None:
    await desk.enqueue("eu/paris")
    replica = await desk.replica()
    (job,) = await replica.claim()
    names = [("nobody", "eu/x"), ("markets", "eu/not-a-number"), ("markets", "eu/7")]
    await replica.finish(job, follow_ups=[NewJob(worker=worker, entity=entity) for worker, entity in names])
    await desk.service.parts.pulser.run_once()
    assert desk.noted("follow_ups_dropped") == [{"worker": "nobody", "count": 1}, {"worker": "markets", "count": 1}]
    assert desk.service.parts.counts.total("markets", "available") == 1


async def test_job_given_back_is_available_at_once(desk: Desk) -> None:
    await desk.enqueue("eu/paris")
    replica = await desk.replica()
    (job,) = await replica.claim()
    reply = await replica.ask(lambda call: GiveBack(call, job.id, job.lease))
    assert isinstance(reply, Finished)
    assert [again.attempt for again in await replica.claim()] == [1]


async def test_job_claimed_for_a_connection_that_closed_is_available_again(desk: Desk) -> None:
    await desk.enqueue("eu/paris")
    gone, other = await desk.replica("towns#1"), await desk.replica("towns#2")
    assert await other.claim(0) == []
    held = threading.Event()
    desk.service.parts.writer.submit(lambda db, now: held.wait(5), lambda result, error: None)
    gone.channel.send(Claim(1, 1))
    gone.channel.close()
    await eventually(lambda: len(desk.service.parts.desk.sessions), lambda n: n == 1)
    held.set()
    assert await eventually(other.claim)


async def test_message_before_hello_ends_the_connection(desk: Desk) -> None:
    replica = Replica("towns#1")
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: replica.channel, str(desk.folder / "database.sock"))
    replica.channel.send(Claim(1, 1))
    await asyncio.wait_for(replica.closed.wait(), 5)


async def test_worker_that_is_not_configured_gets_nothing(desk: Desk) -> None:
    stranger = await desk.replica("songs#1")
    reply = await stranger.ask(lambda call: Claim(call, 3))
    assert reply == Claimed(reply.call, [])


async def test_exit_of_a_replica_frees_its_jobs_and_is_confirmed(desk: Desk) -> None:
    await desk.enqueue("eu/a", "eu/b")
    first, second = await desk.replica("towns#1"), await desk.replica("towns#2")
    await first.claim(2)
    desk.service.receive(ReplicaExited("towns#1", True, "signal 11"))
    assert len(await second.claim(2)) == 1
    assert desk.noted(LEASES_ENDED) == [{"replica": "towns#1", "released": 2}]


async def test_poisoned_job_is_told(desk: Desk) -> None:
    (job,) = await desk.enqueue("eu/a")
    replica = await desk.replica("towns#1")
    for _ in range(3):
        await replica.claim()
        desk.service.receive(ReplicaExited("towns#1", True, "signal 11"))
    await replica.claim()
    (poisoned,) = desk.noted("job_poisoned")
    assert (poisoned["job"], poisoned["entity"]) == (job, "eu/a")
