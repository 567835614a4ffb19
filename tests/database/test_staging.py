"""Bulk: staged, accepted as a whole, moved in turns."""

import pytest

from supervisor.core.errors import RefusedError
from supervisor.core.job import NewJob
from supervisor.database import staging
from tests.database.bench import Bench, Desk


def batch_of(bench: Bench, n: int) -> int:
    batch = bench.do(staging.open_batch)
    rows = [bench.workers.prepare(NewJob(worker="towns", entity=f"eu/t{i}")) for i in range(n)]
    bench.do(staging.write, batch=batch, first=0, rows=rows)
    bench.do(staging.grow, batch=batch, first=0, n=n)
    return batch


def jobs(bench: Bench) -> int:
    count: int = bench.rows("SELECT count(*) AS n FROM jobs")[0]["n"]
    return count


def test_nothing_is_queued_before_the_batch_is_accepted(bench: Bench) -> None:
    batch = batch_of(bench, 3)
    assert bench.do(staging.move_some) == 0
    bench.do(staging.close, batch=batch, state="accepted")
    bench.do(staging.move_some)
    assert [job.entity for job in bench.claim(5)] == ["eu/t0", "eu/t1", "eu/t2"]


def test_batch_moves_in_turns_and_is_then_forgotten(bench: Bench) -> None:
    batch = batch_of(bench, 600)
    bench.do(staging.close, batch=batch, state="accepted")
    moved = []
    while count := bench.do(staging.move_some):
        moved.append(count)
    while bench.do(staging.delete_some):
        pass
    assert moved == [250, 250, 100]
    assert jobs(bench) == 600
    assert bench.rows("SELECT * FROM batches") == bench.rows("SELECT * FROM staged_jobs") == []


def test_rows_of_a_call_that_failed_half_way_are_never_queued(bench: Bench) -> None:
    batch = batch_of(bench, 2)
    half = [bench.workers.prepare(NewJob(worker="towns", entity="eu/half"))]
    bench.do(staging.write, batch=batch, first=2, rows=half)
    bench.do(staging.close, batch=batch, state="accepted")
    while bench.do(staging.move_some) or bench.do(staging.delete_some):
        pass
    assert jobs(bench) == 2
    assert bench.rows("SELECT * FROM staged_jobs") == []


def test_aborted_batch_is_deleted_in_turns(bench: Bench) -> None:
    batch = batch_of(bench, 300)
    bench.do(staging.close, batch=batch, state="aborted")
    while bench.do(staging.move_some) or bench.do(staging.delete_some):
        pass
    assert jobs(bench) == 0
    assert bench.rows("SELECT * FROM batches") == bench.rows("SELECT * FROM staged_jobs") == []


def test_closed_batch_takes_nothing_more(bench: Bench) -> None:
    batch = batch_of(bench, 1)
    bench.do(staging.close, batch=batch, state="accepted")
    bench.do(staging.close, batch=batch, state="accepted")
    with pytest.raises(RefusedError, match="accepted"):
        bench.do(staging.close, batch=batch, state="aborted")
    with pytest.raises(RefusedError, match="not open"):
        bench.do(staging.grow, batch=batch, first=1, n=1)


def test_restart_drops_what_was_open_but_for_jobs_that_still_run(bench: Bench) -> None:
    batch_of(bench, 1)
    bench.enqueue("eu/paris")
    (job,) = bench.claim()
    rows = [bench.workers.prepare(NewJob(worker="markets", entity="eu/7"))]
    bench.do(staging.stage, job=job.id, lease=job.lease, replica="towns#1", rows=rows)
    bench.do(staging.abort_strays)
    assert bench.rows("SELECT state, lease FROM batches ORDER BY id") == [
        {"state": "aborted", "lease": None},
        {"state": "open", "lease": job.lease},
    ]


def test_finish_accepts_what_its_job_staged(bench: Bench) -> None:
    bench.enqueue("eu/paris")
    (job,) = bench.claim()
    for number in (7, 8):
        rows = [bench.workers.prepare(NewJob(worker="markets", entity=f"eu/{number}"))]
        bench.do(staging.stage, job=job.id, lease=job.lease, replica="towns#1", rows=rows)
    bench.finish(job)
    bench.do(staging.move_some)
    assert [job.entity for job in bench.claim(5, worker="markets")] == ["eu/7", "eu/8"]


async def test_batch_that_nobody_touches_is_dropped(desk: Desk) -> None:
    _, answer = await desk.ask("batch.open")
    await desk.service.parts.mover.run_once()
    assert (await desk.ask("batch.append", {"jobs": []}, batch=str(answer["batch"])))[0] == 200
    desk.clock.jump_wall(staging.IDLE_BATCH_S + 1)
    await desk.service.parts.mover.run_once()
    assert (await desk.ask("batch.append", {"jobs": []}, batch=str(answer["batch"])))[0] == 409
