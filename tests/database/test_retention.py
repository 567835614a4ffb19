"""Deleting what is old, in turns."""

import asyncio

from supervisor.database.retention import ROUND_EVERY_S
from tests.database.bench import Desk
from tests.support.clock import FakeClock


async def keep(desk: Desk, **retention_s: float) -> float:
    desk.service.parts.keeper.apply(retention_s)
    return await desk.service.parts.keeper.run_once()


async def test_finished_jobs_go_by_age_and_state(desk: Desk, clock: FakeClock) -> None:
    await desk.enqueue("eu/a", "eu/b", "eu/c")
    replica = await desk.replica()
    done, discarded, _ = await replica.claim(3)
    await replica.finish(done)
    await replica.finish(discarded, "discard", error="no")
    await clock.advance(3601)
    next_at = await keep(desk, jobs_completed=3600.0, jobs_discarded=14 * 86400.0)
    assert next_at == clock.monotonic() + ROUND_EVERY_S
    states = [row["state"] for row in await desk.rows("SELECT state FROM jobs ORDER BY id")]
    assert states == ["discarded", "executing"]
    assert desk.service.parts.counts.total("towns", "completed") == 0


async def test_package_statement_runs_while_it_deletes_full_turns(desk: Desk, clock: FakeClock) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
    await desk.do(lambda db, now: db.execute(f"{sql} INSERT INTO town_events SELECT 't' || i, 'x', 0 FROM n").rowcount)
    await desk.do(lambda db, now: db.execute("INSERT INTO town_events VALUES ('new', 'x', ?)", (now,)).rowcount)
    round_ = asyncio.ensure_future(keep(desk, events=3600.0))
    while not round_.done():
        await clock.advance(0.01)
    assert await desk.rows("SELECT town FROM town_events") == [{"town": "new"}]


async def test_unknown_name_is_told_once(desk: Desk) -> None:
    await keep(desk, songs=60.0)
    await desk.service.parts.keeper.run_once()
    assert desk.noted("retention_refused") == [{"name": "songs", "reason": "no statement songs_retention"}]
