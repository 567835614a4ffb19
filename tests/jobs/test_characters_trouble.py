"""Worker characters when the API denies, fails, changes its shapes or contradicts itself."""

import pytest

from supervisor.worker.sdk import Done, Gone, Retry, Skipped, Snooze, Unparsed
from tests.jobs import bodies
from tests.jobs.character_world import DAY_S, ENTITY, World
from tests.jobs.support import Scripted, fails, html, missing, ok, status


@pytest.mark.parametrize("denial", [missing(), ok(bodies.status(is_valid=False))])
async def test_an_unknown_character_that_is_denied_costs_one_request_and_leaves_a_tombstone(
    world: World, denial: Scripted
) -> None:
    world.pages["/status"] = denial
    outcome = await world.scan()
    assert isinstance(outcome, Gone)
    assert world.asked == ["/status"]
    assert world.database.show("characters", ENTITY) == []
    again = await world.scan()
    assert again == Skipped(note="gone, asked 0 s ago (--max-age 0)", saved=1)


async def test_a_denied_name_comes_to_life(world: World) -> None:
    world.pages["/status"] = missing()
    await world.scan()
    world.pages["/status"] = ok(bodies.status())
    outcome = await world.scan(max_age_s=0)
    assert isinstance(outcome, Done)
    assert world.database.show("characters", ENTITY)[0]["id"] == 1
    assert world.database.rows("SELECT * FROM events") == []


@pytest.mark.parametrize("trouble", [status(404), status(403), status(500), html(), fails("timeout")])
async def test_trouble_with_the_status_is_retried_and_changes_nothing(world: World, trouble: Scripted) -> None:
    world.pages["/status"] = trouble
    outcome = await world.scan()
    assert isinstance(outcome, Retry)
    assert world.asked == ["/status"]
    assert world.database.rows("SELECT * FROM characters") == []


async def test_trouble_with_a_known_summary_is_an_attempt_and_not_freshness(world: World) -> None:
    await world.scan()
    await world.clock.advance(DAY_S)
    before = world.row()
    world.pages[""] = status(503)
    assert isinstance(await world.scan(), Retry)
    assert world.row() == before | {"last_attempt_at": world.clock.wall()}


async def test_a_failed_part_leaves_the_others_stored_and_the_retry_asks_for_it_alone(world: World) -> None:
    world.pages["/collections/mounts"] = status(502)
    outcome = await world.scan()
    assert isinstance(outcome, Retry)
    assert (world.row()["pets_count"], world.row()["mounts_success_at"]) == (3, None)
    assert [job.worker for job in outcome.follow_ups] == ["profile"]
    world.pages["/collections/mounts"] = ok(bodies.mounts(*range(40)))
    outcome = await world.scan(attempt=2)
    assert isinstance(outcome, Done)
    assert world.asked == ["", "/collections/mounts"]
    assert world.row()["mounts_success_at"] == world.clock.wall()
    assert outcome.follow_ups == []


async def test_broken_mounts_do_not_block_the_rest(world: World) -> None:
    world.pages["/collections/mounts"] = ok({"steeds": []})
    outcome = await world.scan()
    assert isinstance(outcome, Unparsed)
    assert (outcome.endpoint, outcome.body) == ("character/mounts", b'{"steeds": []}')
    assert (world.row()["pets_count"], world.row()["mounts_success_at"]) == (3, None)


async def test_a_braked_part_is_left_and_stays_due(world: World) -> None:
    world.braked = {"character/mounts"}
    outcome = await world.scan()
    assert isinstance(outcome, Unparsed)
    assert (outcome.endpoint, outcome.body) == ("character/mounts", b"")
    assert "/collections/mounts" not in world.asked
    assert (world.row()["pets_count"], world.row()["mounts_success_at"]) == (3, None)
    world.braked = set()
    await world.scan()
    assert world.asked == ["", "/collections/mounts"]


async def test_a_braked_summary_snoozes_the_job(world: World) -> None:
    await world.scan()
    world.braked = {"character/summary"}
    outcome = await world.scan(max_age_s=0)
    assert isinstance(outcome, Snooze)
    assert world.asked == []


async def test_a_broken_summary_keeps_its_body(world: World) -> None:
    world.pages[""] = ok({"id": 1, "name": "Sheday"})
    outcome = await world.scan()
    assert isinstance(outcome, Unparsed)
    assert outcome.endpoint == "character/summary"
    assert world.database.rows("SELECT * FROM characters") == []


async def test_a_part_that_the_api_has_lost_keeps_what_was_known(world: World) -> None:
    await world.scan()
    await world.clock.advance(DAY_S)
    world.log_in()
    world.pages["/collections/pets"] = missing()
    outcome = await world.scan()
    assert isinstance(outcome, Done)
    row = world.row()
    assert (row["pets_count"], row["pets_success_at"]) == (3, world.clock.wall() - DAY_S)
    await world.scan(max_age_s=0)
    assert world.asked == [""]


async def test_a_valid_character_without_a_page_is_neither_fresh_nor_gone(world: World) -> None:
    world.pages[""] = missing()
    outcome = await world.scan()
    assert isinstance(outcome, Skipped)
    assert world.database.rows("SELECT * FROM characters") == []


async def test_a_status_that_lost_its_field_denies_nobody(world: World) -> None:
    world.pages["/status"] = ok({"id": 1})
    assert isinstance(await world.scan(), Unparsed)
