"""Worker items: one item and its icon."""

import json
from typing import Any

import pytest

from jobs import items
from supervisor.worker.sdk import Done, Gone, Outcome, Retry, Skipped, Snooze, Unparsed
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, empty_404, fails, html, missing, ok, status
from tests.support.clock import FakeClock

ITEM_PATH = "/data/wow/item/19019"
MEDIA_PATH = "/data/wow/media/item/19019"
ICON = "https://render-eu.worldofwarcraft.com/icons/56/inv_sword_39.jpg"
ITEM = {
    "id": 19019,
    "name": "Thunderfury",
    "quality": {"type": "LEGENDARY", "name": "Legendary"},
    "level": 29,
    "required_level": 25,
    "item_class": {"id": 2, "name": "Weapon"},
    "item_subclass": {"id": 7, "name": "Sword"},
    "inventory_type": {"type": "WEAPON", "name": "One-Hand"},
    "purchase_price": 618_707,
    "sell_price": 123_741,
    "is_equippable": True,
    "is_stackable": False,
}
MEDIA = {"assets": [{"key": "icon", "value": ICON}]}


class ItemRun:
    def __init__(self, database: Harness) -> None:
        self.harness = database
        self.asked: list[str] = []

    async def run(self, item: Scripted | None = None, media: Scripted | None = None, **fields: Any) -> Outcome:
        script = {ITEM_PATH: item, MEDIA_PATH: media}
        api = ScriptedApi({path: answer for path, answer in script.items() if answer})
        work = FakeWork(api, FakeClock(wall=self.harness.now))
        job = self.harness.claim("items", fields.pop("entity", "eu/19019"), **fields)
        outcome = await items.run(job, work)
        self.harness.finish(job, outcome)
        self.asked = api.paths
        return outcome

    def row(self) -> dict[str, Any]:
        return self.harness.row("SELECT * FROM items WHERE id = 19019")


@pytest.fixture
def item(database: Harness) -> ItemRun:
    return ItemRun(database)


async def test_an_item_is_stored_with_its_icon(item: ItemRun) -> None:
    outcome = await item.run(ok(ITEM), ok(MEDIA))
    assert isinstance(outcome, Done)
    assert item.asked == [ITEM_PATH, MEDIA_PATH]
    row = item.row()
    assert json.loads(row.pop("names")) == {"en_GB": "Thunderfury"}
    assert row == {
        "id": 19019,
        "region": "eu",
        "name": "Thunderfury",
        "quality": "LEGENDARY",
        "class_id": 2,
        "class": "Weapon",
        "subclass_id": 7,
        "subclass": "Sword",
        "inventory_type": "WEAPON",
        "level": 29,
        "required_level": 25,
        "purchase_price": 618_707,
        "sell_price": 123_741,
        "is_equippable": 1,
        "is_stackable": 0,
        "icon": "inv_sword_39",
        "icon_url": ICON,
        "seen_at": item.harness.now,
        "wanted_at": None,
        "last_attempt_at": item.harness.now,
        "item_success_at": item.harness.now,
        "media_success_at": item.harness.now,
        "gone_since": None,
    }


async def test_a_number_that_is_no_item_costs_one_request(item: ItemRun) -> None:
    outcome = await item.run(missing())
    assert isinstance(outcome, Gone)
    assert item.asked == [ITEM_PATH]
    assert item.row()["gone_since"] == item.harness.now


async def test_a_denied_item_is_not_asked_for_again_the_same_day(item: ItemRun) -> None:
    await item.run(missing())
    item.harness.now += 3600
    assert isinstance(await item.run(), Skipped)
    assert isinstance(await item.run(missing(), max_age_s=0.0), Gone)
    assert item.row()["gone_since"] == item.harness.now - 3600


async def test_an_item_that_is_gone_keeps_what_was_read_and_may_return(item: ItemRun) -> None:
    await item.run(ok(ITEM), ok(MEDIA))
    await item.run(missing(), max_age_s=0.0)
    assert item.row()["name"] == "Thunderfury"
    await item.run(ok(ITEM), ok(MEDIA), max_age_s=0.0)
    assert item.row()["gone_since"] is None


async def test_a_fresh_item_costs_no_request_in_any_region(item: ItemRun) -> None:
    await item.run(ok(ITEM), ok(MEDIA))
    item.harness.now += 3600
    outcome = await item.run(entity="us/19019")
    assert isinstance(outcome, Skipped)
    assert (outcome.saved, outcome.note) == (2, "fresh 1 h ago (--max-age 0)")


async def test_an_item_without_media_is_complete_without_an_icon(item: ItemRun) -> None:
    assert isinstance(await item.run(ok(ITEM), missing()), Done)
    assert (item.row()["icon"], item.row()["media_success_at"]) == (None, item.harness.now)


async def test_broken_media_never_block_the_item_and_are_all_that_is_asked_again(item: ItemRun) -> None:
    assert isinstance(await item.run(ok(ITEM), status(503)), Retry)
    assert (item.row()["name"], item.row()["media_success_at"]) == ("Thunderfury", None)
    outcome = await item.run(media=ok(MEDIA))
    assert isinstance(outcome, Done)
    assert outcome.saved == 1
    assert item.row()["icon"] == "inv_sword_39"


@pytest.mark.parametrize("answer", [empty_404(), html(), status(403), status(502), fails()])
async def test_a_passing_failure_is_retried_and_makes_nothing_fresh_or_gone(item: ItemRun, answer: Scripted) -> None:
    assert isinstance(await item.run(answer), Retry)
    assert item.harness.rows("SELECT * FROM items") == []


async def test_a_drain_snoozes(item: ItemRun) -> None:
    assert isinstance(await item.run(fails("draining")), Snooze)


async def test_an_unknown_shape_is_unparsed_asked_and_not_fresh(item: ItemRun) -> None:
    outcome = await item.run(ok(ITEM | {"quality": "LEGENDARY"}))
    assert isinstance(outcome, Unparsed)
    assert outcome.endpoint == "item"
    assert (item.row()["last_attempt_at"], item.row()["item_success_at"]) == (item.harness.now, None)


async def test_names_in_all_locales_are_kept_and_the_english_one_is_the_name(item: ItemRun) -> None:
    name = {"en_US": "Thunderfury", "de_DE": "Donnerzorn", "ru_RU": "Громовая Ярость", "it_IT": None}
    await item.run(ok(ITEM | {"name": name}), ok(MEDIA))
    assert item.row()["name"] == "Thunderfury"
    assert json.loads(item.row()["names"]) == {
        "en_US": "Thunderfury",
        "de_DE": "Donnerzorn",
        "ru_RU": "Громовая Ярость",
    }


async def test_a_later_answer_in_one_locale_keeps_the_other_locales(item: ItemRun) -> None:
    await item.run(ok(ITEM | {"name": {"de_DE": "Donnerzorn"}}), ok(MEDIA))
    await item.run(ok(ITEM), ok(MEDIA), max_age_s=0.0)
    assert json.loads(item.row()["names"]) == {"de_DE": "Donnerzorn", "en_GB": "Thunderfury"}


async def test_a_replay_leaves_the_same_rows(item: ItemRun) -> None:
    await item.run(ok(ITEM), ok(MEDIA))
    once = item.harness.dump()
    await item.run(ok(ITEM), ok(MEDIA), max_age_s=0.0)
    assert item.harness.dump() == once


async def test_items_are_due_by_their_last_attempt_those_never_tried_first(item: ItemRun) -> None:
    await item.run(ok(ITEM), ok(MEDIA))
    item.harness.db.execute("INSERT INTO items (id, region, seen_at) VALUES (5, 'us', 1)")
    assert item.harness.stale("items") == ["us/5", "eu/19019"]
    assert item.harness.stale("items", due_before=item.harness.now - 1) == ["us/5"]
    assert item.harness.stale("items", seen_after=2.0) == ["eu/19019"]
