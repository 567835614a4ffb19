"""Scheduled and retryable jobs come when their time has come."""

from supervisor.database.promotion import LOOK_EVERY_S
from tests.database.bench import Desk
from tests.support.clock import FakeClock


async def state(desk: Desk, job: int) -> str:
    (row,) = await desk.rows("SELECT state FROM jobs WHERE id = ?", (job,))
    return str(row["state"])


async def test_retried_job_is_available_after_its_backoff_and_not_before(desk: Desk, clock: FakeClock) -> None:
    (job,) = await desk.enqueue("eu/paris")
    replica = await desk.replica()
    await replica.finish((await replica.claim())[0], "retry", after_s=3.0)
    promoter = desk.service.parts.promoter
    assert await promoter.run_once() - clock.monotonic() == 3.0
    assert await state(desk, job) == "retryable"
    await clock.advance(3.0)
    assert await promoter.run_once() - clock.monotonic() == LOOK_EVERY_S
    assert await state(desk, job) == "available"


async def test_earlier_job_is_noticed_at_its_commit(desk: Desk) -> None:
    promoter = desk.service.parts.promoter
    assert promoter.due_at(50.0)
    assert not promoter.due_at(60.0)
    assert promoter.due_at(40.0)
    assert not promoter.due_at(None)


async def test_waiting_job_is_discarded_when_its_deadline_has_passed(desk: Desk, clock: FakeClock) -> None:
    (job,) = await desk.enqueue("eu/paris", deadline_s=10)
    await clock.advance(11)
    await desk.service.parts.promoter.run_once()
    (row,) = await desk.rows("SELECT state, error FROM jobs")
    assert (row["state"], row["error"]) == ("discarded", "deadline passed")
