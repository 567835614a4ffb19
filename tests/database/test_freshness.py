"""Refill by low-water mark, stalest first, tier by tier."""

import pytest

from supervisor.core.database_settings import FreshnessSettings, TierSettings
from supervisor.database.freshness import NOTHING_STALE_FOR_S
from tests.database.bench import Desk
from tests.support.clock import FakeClock

DAY = 86400.0
TIERS = [TierSettings(every_s=DAY / 2, seen_within_s=7 * DAY), TierSettings(every_s=30 * DAY)]


async def know(desk: Desk, town: str, *, seen_days: float, success_days: float) -> None:
    now = desk.clock.wall()
    row = (town, now - seen_days * DAY, now - success_days * DAY)
    sql = "INSERT INTO towns (region, town, seen_at, success_at) VALUES ('eu', ?, ?, ?)"
    await desk.do(lambda db, now: db.execute(sql, row).rowcount)


async def refill(desk: Desk, keep_waiting: int = 4) -> list[str]:
    settings = FreshnessSettings(worker="towns", tiers=TIERS, keep_waiting=keep_waiting)
    desk.service.parts.refiller.apply([settings])
    await desk.service.parts.refiller.run_once()
    rows = await desk.rows("SELECT entity FROM jobs WHERE provenance = 'freshness' ORDER BY id")
    return [row["entity"] for row in rows]


async def test_first_tier_that_fits_says_when_an_entity_is_due(desk: Desk) -> None:
    await know(desk, "busy", seen_days=1, success_days=1)
    await know(desk, "busy-fresh", seen_days=1, success_days=0.1)
    await know(desk, "quiet", seen_days=20, success_days=31)
    await know(desk, "quiet-fresh", seen_days=20, success_days=1)
    assert await refill(desk) == ["eu/busy", "eu/quiet"]


async def test_refill_stops_at_keep_waiting_and_takes_the_stalest(desk: Desk) -> None:
    for age in (1, 2, 3, 4, 5, 6):
        await know(desk, f"t{age}", seen_days=1, success_days=age)
    assert await refill(desk) == ["eu/t6", "eu/t5", "eu/t4", "eu/t3"]


async def test_nothing_is_added_above_the_low_water_mark(desk: Desk) -> None:
    await desk.enqueue("eu/a", "eu/b", priority="background")
    await know(desk, "stale", seen_days=1, success_days=9)
    assert await refill(desk) == []


async def test_what_is_queued_already_does_not_hide_the_rest(desk: Desk) -> None:
    for age in (1, 2, 3, 4, 5, 6):
        await know(desk, f"t{age}", seen_days=1, success_days=age)
    await desk.enqueue("eu/t6", "eu/t5", "eu/t4", priority="urgent")
    assert await refill(desk, keep_waiting=2) == ["eu/t3", "eu/t2"]


async def test_worker_with_nothing_stale_is_left_alone_for_a_while(desk: Desk, clock: FakeClock) -> None:
    assert await refill(desk) == []
    await know(desk, "stale", seen_days=1, success_days=9)
    await desk.service.parts.refiller.run_once()
    assert await desk.rows("SELECT * FROM jobs") == []
    await clock.advance(NOTHING_STALE_FOR_S)
    await desk.service.parts.refiller.run_once()
    assert len(await desk.rows("SELECT * FROM jobs")) == 1


@pytest.mark.parametrize("stopped_by", ["drain", "disk"])
async def test_drain_and_a_full_disk_stop_refills(desk: Desk, stopped_by: str) -> None:
    await know(desk, "stale", seen_days=1, success_days=9)
    desk.service.parts.refiller.is_stopped = stopped_by == "drain"
    desk.service.parts.disk.background_stopped = stopped_by == "disk"
    assert await refill(desk) == []
