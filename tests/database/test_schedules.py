"""Schedules: each slot once, missed ones as one."""

import pytest

from supervisor.core.database_settings import ScheduleSettings
from supervisor.core.errors import UsageError
from supervisor.database.schedules import latest_slot, next_slot
from tests.database.bench import Desk
from tests.support.clock import FakeClock

EVERY = ScheduleSettings(name="prices", worker="rounds", args={"of": "prices"}, every_s=600.0)
CRON = ScheduleSettings(name="nightly", worker="rounds", args={"of": "night"}, cron="0 3 * * *", tz="Europe/Berlin")
THREE_AM = 1_700_013_600.0  # 2023-11-15 03:00 in Berlin


@pytest.mark.parametrize(("now", "latest"), [(599.9, 0.0), (600.0, 600.0), (1250.0, 1200.0)])
def test_every_counts_from_1970(now: float, latest: float) -> None:
    assert latest_slot(EVERY, now) == latest
    assert next_slot(EVERY, now) == latest + 600


@pytest.mark.parametrize(("after_s", "latest"), [(-0.5, THREE_AM - 86400), (0.0, THREE_AM), (0.5, THREE_AM)])
def test_cron_slot_is_its_local_time(after_s: float, latest: float) -> None:
    assert latest_slot(CRON, THREE_AM + after_s) == latest
    assert next_slot(CRON, latest) == latest + 86400


@pytest.mark.parametrize(("cron", "tz"), [("0 3 * *", "UTC"), ("0 3 * * *", "Mars/Olympus"), ("0 0 31 2 *", "UTC")])
def test_cron_that_cannot_be_read_names_its_schedule(cron: str, tz: str) -> None:
    with pytest.raises(UsageError, match=r"schedules\.odd"):
        latest_slot(ScheduleSettings(name="odd", worker="rounds", cron=cron, tz=tz), 0.0)


async def fire(desk: Desk, *schedules: ScheduleSettings) -> None:
    desk.service.parts.scheduler.apply(list(schedules))
    await desk.service.parts.scheduler.run_once()


async def slots(desk: Desk) -> list[tuple[float, str | None]]:
    sql = "SELECT slot, (SELECT entity FROM jobs WHERE id = job) AS entity FROM schedules ORDER BY slot"
    return [(row["slot"], row["entity"]) for row in await desk.rows(sql)]


async def test_slot_fires_once_with_its_job(desk: Desk, clock: FakeClock) -> None:
    await fire(desk, EVERY)
    await fire(desk, EVERY)
    assert await slots(desk) == [(latest_slot(EVERY, clock.wall()), "prices")]
    (job,) = await desk.rows("SELECT * FROM jobs")
    assert (job["kind"], job["args"], job["provenance"]) == ("rounds", '{"of":"prices"}', "schedule prices")


async def test_missed_slots_collapse_into_the_latest(desk: Desk, clock: FakeClock) -> None:
    await fire(desk, EVERY)
    first = latest_slot(EVERY, clock.wall())
    await clock.advance(6 * 600)
    await fire(desk, EVERY)
    assert [slot for slot, _ in await slots(desk)] == [first, first + 3600]


async def test_slot_of_a_job_still_waiting_joins_it(desk: Desk, clock: FakeClock) -> None:
    await fire(desk, EVERY)
    await clock.advance(600)
    await fire(desk, EVERY)
    assert len(await slots(desk)) == 2
    assert len(await desk.rows("SELECT * FROM jobs")) == 1


async def test_clock_stepped_back_fires_nothing_twice(desk: Desk, clock: FakeClock) -> None:
    await fire(desk, EVERY)
    clock.jump_wall(-3600)
    await fire(desk, EVERY)
    assert len(await slots(desk)) == 1


async def test_clock_that_was_a_year_ahead_silences_no_schedule(desk: Desk, clock: FakeClock) -> None:
    clock.jump_wall(365 * 86400)
    await fire(desk, EVERY, CRON)
    clock.jump_wall(-365 * 86400)
    await fire(desk, EVERY, CRON)
    assert all(slot <= clock.wall() for slot, _ in await slots(desk))
    await clock.advance(86400)
    await fire(desk, EVERY, CRON)
    last = {str(entity): slot for slot, entity in await slots(desk)}
    assert all(clock.wall() - last[name] < 86400 for name in ("prices", "night"))


async def test_new_cron_waits_for_its_next_slot(desk: Desk, clock: FakeClock) -> None:
    await fire(desk, CRON)
    assert [entity for _, entity in await slots(desk)] == [None]
    await clock.advance(86400)
    await fire(desk, CRON)
    assert [entity for _, entity in await slots(desk)] == [None, "night"]


async def test_schedule_says_when_it_comes_next(desk: Desk, clock: FakeClock) -> None:
    soon = ScheduleSettings(name="soon", worker="rounds", args={"of": "soon"}, every_s=7.0)
    desk.service.parts.scheduler.apply([soon])
    wait_s = await desk.service.parts.scheduler.run_once() - clock.monotonic()
    assert wait_s == pytest.approx(next_slot(soon, clock.wall()) - clock.wall())


async def test_schedule_that_cannot_fire_is_told_and_the_others_go_on(desk: Desk) -> None:
    odd = ScheduleSettings(name="odd", worker="nobody", every_s=60.0)
    await fire(desk, odd, EVERY)
    assert [fields["schedule"] for fields in desk.noted("schedule_refused")] == ["odd"]
    assert len(await slots(desk)) == 1


async def test_drain_and_a_full_disk_stop_schedules(desk: Desk) -> None:
    desk.service.parts.disk.background_stopped = True
    await fire(desk, EVERY)
    desk.service.parts.disk.background_stopped = False
    desk.service.parts.stop_background_work()
    await fire(desk, EVERY)
    assert await slots(desk) == []
