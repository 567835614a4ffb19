"""Index of realms: the connected-realm index and every connected realm."""

import json
from typing import Any

import pytest

from jobs import index
from supervisor.worker.sdk import Done, Outcome, Retry, Unparsed
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, empty_404, missing, ok, status
from tests.support.clock import FakeClock

INDEX = "/data/wow/connected-realm/index"


def path(number: int) -> str:
    return f"/data/wow/connected-realm/{number}"


def index_of(*numbers: int) -> Scripted:
    links = [{"href": f"https://eu.api.blizzard.com{path(number)}?namespace=dynamic-eu"} for number in numbers]
    return ok({"connected_realms": links})


def connected(number: int, *slugs: str) -> Scripted:
    realms = [
        {"id": number + i, "slug": slug, "name": slug.title(), "locale": "enGB", "timezone": "Europe/Paris"}
        for i, slug in enumerate(slugs)
    ]
    return ok({"id": number, "realms": realms, "status": {"type": "UP"}, "population": {"type": "FULL"}})


async def read(database: Harness, script: dict[str, Any], entity: str = "realms") -> tuple[Outcome, list[str]]:
    api = ScriptedApi(script)
    job = database.claim("index", entity)
    outcome = await index.run(job, FakeWork(api, FakeClock(wall=database.now)))
    database.finish(job, outcome)
    return outcome, api.paths


def slugs(database: Harness) -> list[tuple[str, int]]:
    return database.rows("SELECT slug, connected_realm_id FROM realms WHERE gone_since IS NULL ORDER BY slug")


async def test_every_realm_of_every_connected_realm_is_stored(database: Harness) -> None:
    script = {
        INDEX: index_of(509, 600),
        path(509): connected(509, "garona", "nerzhul"),
        path(600): connected(600, "aggra"),
    }
    outcome, asked = await read(database, script)
    assert isinstance(outcome, Done)
    assert len(asked) == 3
    assert slugs(database) == [("aggra", 600), ("garona", 509), ("nerzhul", 509)]
    assert database.row("SELECT * FROM realms WHERE slug = 'garona'") == {
        "region": "eu",
        "id": 509,
        "slug": "garona",
        "name": "Garona",
        "names": '{"en_GB":"Garona"}',
        "connected_realm_id": 509,
        "locale": "enGB",
        "timezone": "Europe/Paris",
        "type": None,
        "population": "FULL",
        "status": "UP",
        "seen_at": database.now,
        "gone_since": None,
    }


async def test_one_connected_realm_that_fails_is_asked_once_more(database: Harness) -> None:
    script = {INDEX: index_of(509), path(509): [status(503), connected(509, "garona")]}
    outcome, asked = await read(database, script)
    assert isinstance(outcome, Done)
    assert len(asked) == 3
    assert slugs(database) == [("garona", 509)]


async def test_what_was_read_is_stored_when_others_fail_twice(database: Harness) -> None:
    script = {INDEX: index_of(509, 600), path(509): connected(509, "garona"), path(600): status(503)}
    outcome, _ = await read(database, script)
    assert isinstance(outcome, Retry)
    assert slugs(database) == [("garona", 509)]


async def test_an_unknown_shape_is_unparsed_and_the_others_are_stored(database: Harness) -> None:
    script = {INDEX: index_of(509, 600), path(509): connected(509, "garona"), path(600): ok({"id": 600, "realms": 3})}
    outcome, _ = await read(database, script)
    assert isinstance(outcome, Unparsed)
    assert slugs(database) == [("garona", 509)]


async def test_realms_that_left_a_complete_index_are_hidden_and_come_back(database: Harness) -> None:
    both = {INDEX: index_of(509, 600), path(509): connected(509, "garona"), path(600): connected(600, "aggra")}
    await read(database, both)
    await read(database, {INDEX: index_of(509), path(509): connected(509, "garona")})
    assert slugs(database) == [("garona", 509)]
    await read(database, both)
    assert slugs(database) == [("aggra", 600), ("garona", 509)]


async def test_an_incomplete_run_hides_nothing(database: Harness) -> None:
    await read(
        database, {INDEX: index_of(509, 600), path(509): connected(509, "garona"), path(600): connected(600, "aggra")}
    )
    await read(database, {INDEX: index_of(509, 700), path(509): connected(509, "garona"), path(700): status(500)})
    assert slugs(database) == [("aggra", 600), ("garona", 509)]


@pytest.mark.parametrize("answer", [index_of(), empty_404(), missing(), status(500)])
async def test_an_index_without_realms_is_a_failure(database: Harness, answer: Scripted) -> None:
    await read(database, {INDEX: index_of(509), path(509): connected(509, "garona")})
    outcome, _ = await read(database, {INDEX: answer})
    assert isinstance(outcome, Retry)
    assert slugs(database) == [("garona", 509)]


async def test_a_realm_merged_away_between_index_and_detail_is_no_failure(database: Harness) -> None:
    await read(
        database, {INDEX: index_of(509, 600), path(509): connected(509, "garona"), path(600): connected(600, "aggra")}
    )
    script = {INDEX: index_of(509, 600), path(509): connected(509, "garona", "x", "y"), path(600): missing()}
    outcome, _ = await read(database, script)
    assert isinstance(outcome, Done)
    assert [slug for slug, _ in slugs(database)] == ["garona", "x", "y"]


async def test_the_region_stands_behind_a_dot(database: Harness) -> None:
    await read(database, {INDEX: index_of(11), path(11): connected(11, "tichondrius")}, entity="realms.us")
    assert database.rows("SELECT region, slug FROM realms") == [("us", "tichondrius")]


async def test_names_of_all_locales_are_kept(database: Harness) -> None:
    realm = {"id": 1602, "slug": "gordunni", "name": {"en_US": "Gordunni", "ru_RU": "Гордунни"}}
    await read(database, {INDEX: index_of(1602), path(1602): ok({"id": 1602, "realms": [realm]})})
    row = database.row("SELECT name, names FROM realms")
    assert row["name"] == "Gordunni"
    assert json.loads(row["names"]) == {"en_US": "Gordunni", "ru_RU": "Гордунни"}


async def test_a_replay_leaves_the_same_rows(database: Harness) -> None:
    script = {INDEX: index_of(509), path(509): connected(509, "garona")}
    await read(database, script)
    once = database.dump()
    await read(database, script)
    assert database.dump() == once
