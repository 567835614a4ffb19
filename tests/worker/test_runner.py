"""A job's run: what becomes of one that never returns, that raises, and that is cut short."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from supervisor.core.events import Events
from supervisor.core.job import ClaimedJob, Done, Outcome, Snooze
from supervisor.core.messages.replica_database import Finish, GiveBack
from supervisor.core.messages.replica_supervisor import NOT_SENT, Grant, Release
from supervisor.worker.brake import Brakes
from supervisor.worker.client import close_session, open_session
from supervisor.worker.measures import Measures
from supervisor.worker.permits import Permit, Permits
from supervisor.worker.runner import IDLE_PAUSE_S, Run, Runner
from supervisor.worker.sdk import Work
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

JOB = ClaimedJob(id=7, lease=70, worker="w", entity="eu/a", parts={})


class Bench:
    """A real runner; its ledger is a list."""

    def __init__(self, run: Run, session: Any, clock: FakeClock, run_dir: Path) -> None:
        self.ended: list[msgspec.Struct] = []
        self.returned: list[msgspec.Struct] = []
        self.told: list[str] = []
        events = Events()
        events.subscribe(lambda name, fields: self.told.append(name))
        self.runner = Runner(
            run=run,
            session=session,
            permits=Permits(self.returned.append, clock),
            ledger=self,  # type: ignore[arg-type]  # this bench is its ledger: end() below
            measures=Measures(),
            clock=clock,
            events=events,
            run_dir=run_dir,
            brakes=Brakes(),
        )

    async def end(self, lease: int, message: Callable[[int], msgspec.Struct]) -> None:
        assert lease == JOB.lease
        self.ended.append(message(1))

    async def run(self) -> None:
        await self.runner.run_job(JOB, Permit(Grant(1, 1001, "k"), self.returned.append, 0.0), 0.0)


@asynccontextmanager
async def bench_of(run: Run, clock: FakeClock, run_dir: Path) -> AsyncIterator[Bench]:
    session = open_session()
    yield Bench(run, session, clock, run_dir)
    await close_session(session)


async def never(job: ClaimedJob, work: Work) -> Outcome:
    await asyncio.Event().wait()
    return Done()


async def test_job_that_never_returns_is_ended_by_its_deadline_and_tried_again(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.worker.runner.JOB_DEADLINE_S", 0.01)
    async with bench_of(never, clock, tmp_path) as bench:
        await asyncio.wait_for(bench.run(), 5.0)
    (finish,) = bench.ended
    assert isinstance(finish, Finish)
    assert (finish.outcome, finish.error) == ("retry", "did not end within 0.01 s")
    assert bench.returned == [Release(1001, NOT_SENT)]


async def test_job_that_puts_itself_off_without_a_request_does_not_make_a_hot_loop(
    clock: FakeClock, tmp_path: Path
) -> None:
    async def braked(job: ClaimedJob, work: Work) -> Outcome:
        return Snooze(after_s=60.0)

    async with bench_of(braked, clock, tmp_path) as bench:
        running = asyncio.create_task(bench.run(), name="job")
        await eventually(lambda: clock.sleepers)
        assert len(bench.ended) == 1, "its end has not waited"
        await clock.advance(IDLE_PAUSE_S)
        await asyncio.wait_for(running, 5.0)


async def test_job_that_raises_is_tried_again_and_its_traceback_told(clock: FakeClock, tmp_path: Path) -> None:
    async def broken(job: ClaimedJob, work: Work) -> Outcome:
        raise KeyError("mounts")

    async with bench_of(broken, clock, tmp_path) as bench:
        await bench.run()
    (finish,) = bench.ended
    assert isinstance(finish, Finish)
    assert (finish.outcome, finish.error) == ("retry", "KeyError: 'mounts'")
    assert bench.told == ["job_raised"]


async def test_time_out_of_a_jobs_own_is_not_taken_for_its_deadline(clock: FakeClock, tmp_path: Path) -> None:
    async def impatient(job: ClaimedJob, work: Work) -> Outcome:
        raise TimeoutError("no answer from the cache")

    async with bench_of(impatient, clock, tmp_path) as bench:
        await bench.run()
    (finish,) = bench.ended
    assert isinstance(finish, Finish)
    assert (finish.outcome, finish.error) == ("retry", "TimeoutError: no answer from the cache")


async def test_job_that_is_cut_short_is_given_back_undone(clock: FakeClock, tmp_path: Path) -> None:
    async with bench_of(never, clock, tmp_path) as bench:
        running = asyncio.create_task(bench.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
    assert running.cancelled()
    assert bench.ended == [GiveBack(1, JOB.id, JOB.lease)]
    assert bench.returned == [Release(1001, NOT_SENT)]
