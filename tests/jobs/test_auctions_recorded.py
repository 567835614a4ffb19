"""Recorded bodies of auction houses, items, realms and leaderboards, through the real types and tables."""

import json
from typing import Any

import msgspec
import pytest

from jobs import items
from jobs.models.items import Item, ItemMedia
from jobs.models.leaderboards import HallOfFame, KeystoneLeaderboard, PvpLeaderboard
from jobs.models.realms import ConnectedRealm, ConnectedRealmIndex
from jobs.realms import connected_realms
from supervisor.worker.sdk import Done, Effect
from tests.jobs.auction_support import DATES, FIRST, SECOND, HouseRun
from tests.jobs.harness import Harness
from tests.jobs.support import ok, status
from tests.support.recordings import folder, needs_recordings, recording, recording_bytes

pytestmark = needs_recordings

CLASSIC = "connected-realm-auctions/us_classic_4384_ah2_full_2022-06.json"
LEGACY = "connected-realm-auctions/legacy_2014_eu_thrall_full_OLD_FORMAT.json"
FACTIONS = ("alliance", "horde", "neutral")


@pytest.fixture
def house(database: Harness) -> HouseRun:
    return HouseRun(database)


# --- auction houses ---------------------------------------------------------------------------


async def test_a_whole_classic_house_is_stored_and_then_unchanged(house: HouseRun) -> None:
    outcome = await house.run(ok(recording_bytes(CLASSIC), last_modified=DATES[FIRST]))
    assert isinstance(outcome, Done)
    recorded = {each["id"]: each for each in recording(CLASSIC)["auctions"]}
    stored = house.harness.rows("SELECT auction_id, item_id, quantity, buyout, bid FROM market.auctions")
    assert len(stored) == len(recorded) == 5753
    for number, item, quantity, buyout, bid in stored:
        each = recorded[number]
        assert (item, quantity, buyout, bid) == (each["item"]["id"], each["quantity"], each.get("buyout"), each["bid"])
    once = house.harness.dump()
    await house.run(ok(recording_bytes(CLASSIC), last_modified=DATES[FIRST]))
    assert house.harness.dump() == once


async def test_statistics_of_a_whole_house_add_up(house: HouseRun) -> None:
    await house.run(ok(recording_bytes(CLASSIC), last_modified=DATES[FIRST]))
    recorded = recording(CLASSIC)["auctions"]
    totals = house.harness.row(
        "SELECT sum(quantity) AS units, sum(auctions) AS offers, count(*) AS items FROM item_prices"
    )
    assert totals == {
        "units": sum(each["quantity"] for each in recorded),
        "offers": len(recorded),
        "items": len({each["item"]["id"] for each in recorded}),
    }
    assert house.harness.rows("SELECT item_id FROM item_prices WHERE market_price < min_price") == []


async def test_a_sample_of_2022_with_a_stray_element_keeps_its_eight_auctions(house: HouseRun) -> None:
    body = recording_bytes("connected-realm-auctions/us_11_sample.json")
    await house.run(ok(body, last_modified=DATES[FIRST]))
    assert len(house.current()) == 8
    row = house.harness.row("SELECT context, bonus_lists, modifiers FROM market.auctions WHERE auction_id = 238047206")
    assert row == {"context": 22, "bonus_lists": "[6654,1709]", "modifiers": "[[9,30],[28,1097]]"}


async def test_commodities_among_a_realms_auctions_have_a_unit_price(house: HouseRun) -> None:
    recorded = recording("connected-realm-auctions/us_9_sample_precommodity.json")["auctions"]
    body = recording_bytes("connected-realm-auctions/us_9_sample_precommodity.json")
    await house.run(ok(body, last_modified=DATES[FIRST]))
    with_unit_price = [each for each in recorded if "unit_price" in each]
    found = house.harness.rows("SELECT count(*) FROM market.auctions WHERE unit_price IS NOT NULL AND buyout IS NULL")
    assert found == [(len(with_unit_price),)]


@pytest.mark.slow
async def test_a_realm_of_66_250_auctions_is_read_again_after_an_hour(house: HouseRun) -> None:
    auctions = [_modern(each) for faction in FACTIONS for each in recording(LEGACY)[faction]["auctions"]]
    await house.run(ok({"auctions": auctions}, last_modified=DATES[FIRST]))
    await house.run(ok({"auctions": auctions[5000:]}, last_modified=DATES[SECOND]))
    assert len(house.current()) == len(auctions) - 5000
    assert house.harness.rows("SELECT count(*) FROM market.auctions") == [(len(auctions),)]
    house.harness.now += 600
    await house.run(status(304))
    assert len(house.current()) == len(auctions) - 5000


def _modern(legacy: dict[str, Any]) -> dict[str, Any]:
    """Return an auction of 2014 in today's shape: its shape is obsolete, its scale is not."""
    kept = {key: legacy[key] for key in ("bid", "buyout", "quantity")}
    return {"id": legacy["auc"], "item": {"id": legacy["item"]}, "time_left": legacy["timeLeft"]} | kept


# --- items ------------------------------------------------------------------------------------


def item_bodies() -> list[dict[str, Any]]:
    here = folder()
    assert here is not None
    single = [
        recording(f"item/{path.name}")
        for path in sorted((here / "item").glob("*_*_*.json"))
        if "b" not in path.name[3:5]
    ]
    bulk = recording("item/eu_bulk_10.0.5_part1.json") + recording("item/eu_bulk_10.0.5_part2.json")
    return [*single, *recording("item/us_batch_9.2.0_lassebenni.json")["items"], *bulk]


@pytest.mark.slow
def test_every_recorded_item_is_stored(database: Harness) -> None:
    bodies = item_bodies()
    for body in bodies:
        item = msgspec.json.decode(json.dumps(body).encode(), type=Item)
        job = database.claim("items", f"eu/{item.id}")
        database.apply(job, Effect("item_upsert", [items.item_row(item, "en_GB")]))
    assert database.rows("SELECT count(*) FROM items") == [(len({body["id"] for body in bodies}),)]
    assert database.rows("SELECT id FROM items WHERE name = '' OR names = '{}' OR quality IS NULL") == []
    plate = database.row(
        "SELECT name, class, subclass, json_extract(names, '$.ru_RU') AS ru FROM items WHERE id = 171374"
    )
    assert plate == {
        "name": "Ceremonious Breastplate",
        "class": "Armor",
        "subclass": "Plate",
        "ru": "Церемониальная кираса",
    }


@pytest.mark.parametrize("path", ["item-media/eu_19019_2019-12-22.json", "item-media/eu_19020_2019-12-22.json"])
def test_recorded_media_have_an_icon(path: str) -> None:
    row = items.media_row(msgspec.json.decode(recording_bytes(path), type=ItemMedia))
    assert str(row["icon"]).startswith("inv_")


# --- realms and leaderboards ------------------------------------------------------------------


def test_recorded_indexes_name_their_connected_realms() -> None:
    us = msgspec.json.decode(recording_bytes("connected-realm-index/us_full.json"), type=ConnectedRealmIndex)
    eu = msgspec.json.decode(
        recording_bytes("connected-realm-index/eu_index_2019-12-22.json"), type=ConnectedRealmIndex
    )
    assert (len(connected_realms(us)), len(connected_realms(eu))) == (83, 123)


def test_all_recorded_connected_realms_have_slugs_and_names() -> None:
    us = msgspec.json.decode(recording_bytes("connected-realm/us_all.json"), type=list[ConnectedRealm])
    others = ("eu_509_2019-12-22", "eu_510_2019-12-22", "eu_dump_ukon1990_sample")
    eu = [msgspec.json.decode(recording_bytes(f"connected-realm/{name}.json"), type=ConnectedRealm) for name in others]
    realms = [realm for each in [*us, *eu] for realm in each.realms]
    assert len(us) == 83
    assert all(realm.slug and realm.name for realm in realms)


def test_recorded_leaderboards_name_characters_and_guilds() -> None:
    lists = (
        "_lists/mythic-keystone-leaderboard/eu_connected-realm_509_mythic-leaderboard_244_period_682_2019-12-22.json"
    )
    keystone = msgspec.json.decode(recording_bytes(lists), type=KeystoneLeaderboard)
    pvp_path = "_lists/pvp-leaderboard/eu_pvp-season_27_pvp-leaderboard_2v2_2019-12-22.json"
    pvp = msgspec.json.decode(recording_bytes(pvp_path), type=PvpLeaderboard)
    fame_path = "_lists/mythic-raid-leaderboard/eu_leaderboard_hall-of-fame_uldir_alliance_2019-12-22.json"
    fame = msgspec.json.decode(recording_bytes(fame_path), type=HallOfFame)
    members = [member.profile for group in keystone.leading_groups for member in group.members]
    ranked = [*members, *(entry.character for entry in pvp.entries), *(entry.guild for entry in fame.entries)]
    assert len(ranked) > 5000
    assert all(each is not None and each.name and each.realm.slug for each in ranked)
    assert {entry.region for entry in fame.entries} == {"eu", "us", "cn", "kr", "tw"}
