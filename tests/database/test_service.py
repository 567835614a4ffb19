"""Start, settings, restart, stop."""

import asyncio
from pathlib import Path

import pytest

from supervisor.core.database_settings import WorkerSettings
from supervisor.core.errors import ConfigurationError
from supervisor.core.messages.supervisor_database import (
    DatabaseReady,
    DatabaseSettings,
    Question,
    ReplicaExited,
    Reply,
    StopSchedules,
)
from tests.database.bench import Desk, settings
from tests.support.clock import FakeClock
from tests.support.waiting import eventually


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def restarted(desk: Desk, *exits: ReplicaExited, supervisor: str = "first") -> Desk:
    """The same files under a new database process."""
    await desk.stop()
    again = Desk(desk.folder, desk.clock, supervisor)
    await again.service.start(settings(), exits)
    return again


async def test_ready_names_sqlite_and_whether_the_file_is_new(tmp_path: Path, clock: FakeClock) -> None:
    desk = Desk(tmp_path, clock)
    await desk.start()
    desk = await restarted(desk)
    await desk.stop()
    ready = [message for message in desk.sent if isinstance(message, DatabaseReady)]
    assert [(message.sqlite[:2], message.fresh) for message in ready] == [("3.", False)]


async def test_fresh_state_applies_all_migrations(tmp_path: Path, clock: FakeClock) -> None:
    desk = Desk(tmp_path, clock)
    await desk.start()
    await desk.stop()
    applied = [fields["migration"] for fields in desk.noted("migration_applied")]
    assert applied == ["engine/0001_queue", "package/0001_towns", "package/0001_stalls"]


async def test_clean_end_leaves_no_socket_behind(tmp_path: Path, clock: FakeClock) -> None:
    desk = Desk(tmp_path, clock)
    await desk.start()
    assert "database.sock" in names(tmp_path)
    await desk.stop()
    assert "database.sock" not in names(tmp_path)


async def test_lease_survives_a_restart_under_the_same_supervisor(desk: Desk) -> None:
    await desk.enqueue("eu/a")
    (job,) = await (await desk.replica()).claim()
    desk = await restarted(desk)
    replica = await desk.replica()
    assert await replica.finish(job) == "done"
    assert await replica.finish(job) == "already done"
    await desk.stop()


async def test_new_supervisor_ends_all_leases_before_anybody_can_claim(desk: Desk) -> None:
    await desk.enqueue("eu/a")
    (job,) = await (await desk.replica()).claim()
    desk = await restarted(desk, supervisor="second")
    replica = await desk.replica()
    assert [again.id for again in await replica.claim()] == [job.id]
    assert await replica.finish(job) == "lost"
    await desk.stop()


async def test_exit_told_before_the_start_is_settled_before_anybody_can_claim(desk: Desk) -> None:
    await desk.enqueue("eu/a")
    (job,) = await (await desk.replica()).claim()
    desk = await restarted(desk, ReplicaExited("towns#1", False, "drained"))
    assert [again.id for again in await (await desk.replica("towns#1")).claim()] == [job.id]
    await desk.stop()


async def test_new_worker_is_served_from_the_next_settings_on(desk: Desk) -> None:
    more = [*settings().workers, WorkerSettings(name="villages", kind="towns", package=settings().workers[0].package)]
    desk.service.receive(DatabaseSettings(workers=more))
    await eventually(lambda: "villages" in desk.service.parts.workers.configured)
    await desk.enqueue("eu/a", worker="villages")
    (job,) = await (await desk.replica("villages#1")).claim()
    assert job.parts == {"region": "eu", "town": "a"}


async def test_job_of_a_worker_that_was_removed_can_still_finish(desk: Desk) -> None:
    await desk.enqueue("eu/a")
    replica = await desk.replica()
    (job,) = await replica.claim()
    await desk.service.apply(DatabaseSettings(workers=[]))
    assert await replica.finish(job) == "done"
    assert await replica.claim() == []


async def test_settings_that_cannot_be_used_change_nothing(desk: Desk, tmp_path: Path) -> None:
    broken = WorkerSettings(name="songs", kind="songs", package=str(tmp_path / "nowhere"))
    await desk.service.apply(DatabaseSettings(workers=[broken]))
    (refused,) = desk.noted("database_settings_refused")
    assert "manifest.toml" in refused["reason"]
    assert len(await desk.enqueue("eu/a")) == 1


async def test_package_that_cannot_be_used_refuses_the_start(tmp_path: Path, clock: FakeClock) -> None:
    desk = Desk(tmp_path, clock)
    with pytest.raises(ConfigurationError, match=r"manifest\.toml"):
        await desk.start(workers=[WorkerSettings(name="songs", kind="songs", package=str(tmp_path))])
    await desk.stop()


async def test_question_is_answered_as_json_under_its_number(desk: Desk) -> None:
    desk.service.receive(Question(7, "queues"))
    (reply,) = await eventually(lambda: [message for message in desk.sent if isinstance(message, Reply)])
    assert (reply.call, reply.status) == (7, 200)
    assert reply.body.startswith(b'{"queues":')


async def test_stop_schedules_stops_all_background_enqueues(desk: Desk) -> None:
    desk.service.receive(StopSchedules())
    assert desk.service.parts.scheduler.is_stopped
    assert desk.service.parts.refiller.is_stopped


async def test_background_loops_promote_and_tell_by_themselves(desk: Desk, clock: FakeClock) -> None:
    loops = asyncio.ensure_future(desk.service.run())
    (job,) = await desk.enqueue("eu/a")
    replica = await desk.replica()
    await replica.finish((await replica.claim())[0], "retry", after_s=0.5)
    for _ in range(20):
        await clock.advance(0.1)
    again = await eventually(replica.claim)
    assert (again[0].id, again[0].attempt) == (job, 2)
    loops.cancel()
    await asyncio.wait([loops])


async def test_stop_leaves_no_log_behind(desk: Desk) -> None:
    await desk.enqueue("eu/a")
    await desk.stop()
    await desk.stop()
    assert sorted(path.name for path in desk.folder.glob("*.db*")) == ["gatherer.db", "market.db"]
