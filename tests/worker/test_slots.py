"""Slots: permit before claim, live resizing, and a drain that neither loses nor disturbs a job."""

import asyncio
from collections.abc import Callable
from random import Random

import msgspec

from supervisor.core.job import ClaimedJob
from supervisor.core.messages.replica_supervisor import (
    DRAINING,
    NO_PERMIT,
    NOT_SENT,
    Acquire,
    Cancel,
    Grant,
    Refuse,
    Release,
)
from supervisor.worker.claimer import Claimer
from supervisor.worker.permits import Permit, Permits
from supervisor.worker.slots import Slots
from tests.support.clock import FakeClock


class Bench:
    """Real permits and slots; the queue and the run of a job are lists that the test fills."""

    def __init__(self, clock: FakeClock, jobs: int) -> None:
        self.clock = clock
        self.sent: list[msgspec.Struct] = []
        self.queue = [job(n) for n in range(1, jobs + 1)]
        self.running: dict[int, asyncio.Future[None]] = {}
        self.given_back: list[int] = []
        self.finishes = asyncio.Event()
        self.finishes.set()
        self.permits = Permits(self.sent.append, clock)
        self.claimer = Claimer(self)  # type: ignore[arg-type]  # this bench is its ledger: claim() below
        self.slots = Slots(
            permits=self.permits,
            claimer=self.claimer,
            runner=self,  # type: ignore[arg-type]  # this bench runs the jobs: run_job, give_back below
            clock=clock,
            random=Random(1),
        )

    async def claim(self, n: int) -> "Bench.Taken":
        taken, self.queue = self.queue[:n], self.queue[n:]
        return Bench.Taken(taken)

    class Taken:
        def __init__(self, jobs: list[ClaimedJob]) -> None:
            self.jobs = jobs

    async def run_job(self, claimed: ClaimedJob, permit: Permit, asked_at: float, has_run: Callable[[], None]) -> None:
        permit.answered(200, 0.1)
        self.running[claimed.id] = asyncio.get_running_loop().create_future()
        try:
            await self.running[claimed.id]
            has_run()
            await self.finishes.wait()
        except asyncio.CancelledError:
            await self.give_back(claimed)
            raise
        finally:
            del self.running[claimed.id]

    async def give_back(self, claimed: ClaimedJob) -> None:
        self.given_back.append(claimed.id)

    def asks(self) -> list[int]:
        cancelled = {m.ask for m in self.sent if isinstance(m, Cancel)}
        return [m.ask for m in self.sent if isinstance(m, Acquire) and m.start and m.ask not in cancelled]

    async def grant(self, ask: int) -> None:
        self.permits.receive(Grant(ask, 1000 + ask, "k"))
        await settle()

    async def grant_endless(self, ask: int) -> None:
        self.permits.receive(Grant(ask, NO_PERMIT, ""))
        await settle()

    async def end_run(self, number: int) -> None:
        self.running[number].set_result(None)
        await settle()


def job(number: int) -> ClaimedJob:
    return ClaimedJob(id=number, lease=number, worker="w", entity=str(number), parts={})


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def started(clock: FakeClock, *, jobs: int, concurrency: int) -> tuple[Bench, list["asyncio.Task[None]"]]:
    bench = Bench(clock, jobs)
    bench.slots.resize(concurrency)
    tasks = [asyncio.ensure_future(bench.slots.run()), asyncio.ensure_future(bench.claimer.run())]
    await settle()
    return bench, tasks


async def end(bench: Bench, tasks: list["asyncio.Task[None]"]) -> None:
    drain = asyncio.ensure_future(bench.slots.drain(bench.clock.monotonic()))
    await settle()
    await asyncio.wait_for(tasks[0], 5.0)
    await drain
    tasks[1].cancel()


async def test_every_slot_asks_before_anything_is_claimed(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=5, concurrency=3)
    assert len(bench.asks()) == 3
    assert len(bench.queue) == 5
    await end(bench, tasks)


async def test_granted_slot_claims_and_runs_one_job(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=5, concurrency=2)
    await bench.grant(bench.asks()[0])
    assert list(bench.running) == [1]
    assert bench.slots.executing == 1
    await end(bench, tasks)


async def test_permit_goes_back_unsent_when_nothing_waits(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=0, concurrency=1)
    await bench.grant(bench.asks()[0])
    assert [m for m in bench.sent if isinstance(m, Release)] == [Release(1001, NOT_SENT)]
    assert len(bench.asks()) == 2
    await end(bench, tasks)


async def test_growing_adds_slots_and_shrinking_takes_only_idle_ones(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=5, concurrency=2)
    await bench.grant(bench.asks()[0])
    bench.slots.resize(4)
    await settle()
    assert len(bench.asks()) == 4
    bench.slots.resize(1)
    await settle()
    assert list(bench.running) == [1]
    assert len([m for m in bench.sent if isinstance(m, Cancel)]) == 3
    await end(bench, tasks)


async def test_surplus_working_slot_leaves_after_its_job(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=5, concurrency=2)
    for ask in bench.asks():
        await bench.grant(ask)
    bench.slots.resize(1)
    await settle()
    assert sorted(bench.running) == [1, 2]
    bench.running[1].set_result(None)
    await settle()
    assert list(bench.running) == [2]
    assert len(bench.asks()) == 2
    await end(bench, tasks)


async def test_drain_waits_for_running_jobs(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=1, concurrency=2)
    await bench.grant(bench.asks()[0])
    drain = asyncio.ensure_future(bench.slots.drain(clock.monotonic() + 10.0))
    await clock.advance(1.0)
    bench.running[1].set_result(None)
    await clock.advance(1.0)
    await asyncio.wait_for(tasks[0], 5.0)
    await drain
    assert bench.given_back == []
    tasks[1].cancel()


async def test_job_still_running_at_the_deadline_is_given_back(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=1, concurrency=1)
    await bench.grant(bench.asks()[0])
    drain = asyncio.ensure_future(bench.slots.drain(clock.monotonic() + 10.0))
    await clock.advance(11.0)
    await asyncio.wait_for(tasks[0], 5.0)
    await drain
    assert bench.given_back == [1]
    tasks[1].cancel()


async def test_refused_start_pauses_before_it_asks_again(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=1, concurrency=1)
    bench.permits.receive(Refuse(bench.asks()[0], DRAINING))
    await settle()
    assert len(bench.asks()) == 1
    await clock.advance(2.0)
    assert len(bench.asks()) == 2
    await end(bench, tasks)


async def test_endless_permit_starts_jobs_until_there_is_none(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=2, concurrency=1)
    await bench.grant_endless(bench.asks()[0])
    await bench.end_run(1)
    await bench.end_run(2)
    assert bench.running == {}
    assert len(bench.asks()) == 2
    assert not [m for m in bench.sent if isinstance(m, Release)]
    await end(bench, tasks)


async def test_next_job_is_asked_for_before_the_finish_is_answered(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=2, concurrency=1)
    await bench.grant_endless(bench.asks()[0])
    bench.finishes.clear()
    await bench.end_run(1)
    assert (bench.queue, list(bench.running)) == ([], [1])
    bench.finishes.set()
    await settle()
    assert list(bench.running) == [2]
    await end(bench, tasks)


async def test_slot_that_is_too_many_asks_for_no_further_job(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=2, concurrency=1)
    await bench.grant_endless(bench.asks()[0])
    bench.slots.resize(0)
    await bench.end_run(1)
    assert len(bench.queue) == 1
    await end(bench, tasks)


async def test_drain_gives_back_the_next_job_too(clock: FakeClock) -> None:
    bench, tasks = await started(clock, jobs=2, concurrency=1)
    await bench.grant_endless(bench.asks()[0])
    bench.finishes.clear()
    await bench.end_run(1)
    await end(bench, tasks)
    assert sorted(bench.given_back) == [1, 2]
