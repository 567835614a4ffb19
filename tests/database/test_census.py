"""How much is known, how old it is, and whether that is fresh enough."""

from supervisor.core.database_settings import FreshnessSettings, TierSettings
from supervisor.core.messages.supervisor_database import Census
from supervisor.database.census import COUNT_EVERY_S
from tests.database.bench import Desk

DAY = 86400.0
TIERS = [TierSettings(every_s=DAY / 2, seen_within_s=7 * DAY), TierSettings(every_s=30 * DAY)]


async def know(desk: Desk, town: str, *, seen_days: float, success_days: float) -> None:
    now = desk.clock.wall()
    row = (town, now - seen_days * DAY, now - success_days * DAY)
    sql = "INSERT INTO towns (region, town, seen_at, success_at) VALUES ('eu', ?, ?, ?)"
    await desk.do(lambda db, now: db.execute(sql, row).rowcount)


async def census(desk: Desk, *freshness: FreshnessSettings) -> Census:
    desk.service.parts.census.apply(freshness)
    desk.sent.clear()
    await desk.service.parts.census.run_once()
    return next(message for message in desk.sent if isinstance(message, Census))


async def test_each_entity_is_in_the_bucket_of_its_age(desk: Desk) -> None:
    for town, days in (("hour", 0.03), ("day", 0.9), ("week", 6), ("year", 365)):
        await know(desk, town, seen_days=1, success_days=days)
    counted = (await census(desk)).kinds["towns"]
    assert counted.by_age == [1, 0, 0, 1, 0, 1, 0, 1]
    assert counted.fresh is None


async def test_fresh_is_what_the_first_tier_that_fits_calls_fresh(desk: Desk) -> None:
    await know(desk, "busy", seen_days=1, success_days=1)
    await know(desk, "busy-fresh", seen_days=1, success_days=0.1)
    await know(desk, "quiet", seen_days=20, success_days=31)
    await know(desk, "quiet-fresh", seen_days=20, success_days=29)
    counted = (await census(desk, FreshnessSettings(worker="towns", tiers=TIERS))).kinds["towns"]
    assert (counted.fresh, sum(counted.by_age)) == (2, 4)


async def test_a_brake_is_told_with_its_beginning(desk: Desk) -> None:
    assert (await census(desk)).brakes == {}
    sql = "INSERT INTO town_events VALUES ('', 'brake', 77)"
    await desk.do(lambda db, now: db.execute(sql).rowcount)
    assert (await census(desk)).brakes == {"towns": 77.0}


async def test_the_next_count_waits(desk: Desk) -> None:
    next_at = await desk.service.parts.census.run_once()
    assert next_at >= desk.clock.monotonic() + COUNT_EVERY_S
