"""What readers see of a house while readings are loaded, lost, repeated and replaced."""

from typing import Any

import pytest

from supervisor.worker.sdk import Done
from tests.jobs.auction_support import FIRST, SECOND, THIRD, HouseRun, auction, reading
from tests.jobs.harness import Harness


@pytest.fixture
def house(database: Harness) -> HouseRun:
    return HouseRun(database)


async def test_a_new_reading_replaces_the_old_one(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), auction(2)))
    await house.run(reading(SECOND, auction(2), auction(3)))
    assert house.current() == [2, 3]
    assert house.harness.rows("SELECT auction_id, first_snapshot, last_snapshot FROM market.auctions") == [
        (1, FIRST, FIRST),
        (2, FIRST, SECOND),
        (3, SECOND, SECOND),
    ]


async def test_rows_are_invisible_until_the_finish(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1, price=100)))
    await house.run(reading(SECOND, auction(2, price=50)), finishes=False)
    assert house.current() == [1]
    assert house.price(7) == (100, 100, 1, 1)


async def test_a_first_reading_that_dies_shows_nothing(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)), finishes=False)
    assert house.current() == []
    await house.run(reading(FIRST, auction(1)))
    assert house.current() == [1]


async def test_a_reading_after_one_that_died_is_complete(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), auction(2)))
    await house.run(reading(SECOND, auction(2), auction(3), auction(4)), finishes=False)
    assert house.current() == [1, 2]
    await house.run(reading(THIRD, auction(4), auction(5)))
    assert house.current() == [4, 5]


async def test_an_auction_that_was_away_is_not_seen_before_its_reading_is_published(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), auction(2)))
    await house.run(reading(SECOND, auction(2)))
    await house.run(reading(THIRD, auction(1), auction(2)), finishes=False)
    assert house.current() == [2]
    await house.run(reading(THIRD, auction(1), auction(2)))
    assert house.current() == [1, 2]


async def test_a_replay_of_a_reading_leaves_the_same_rows(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), auction(2, item=8)))
    await house.run(reading(SECOND, auction(1), auction(3)), finishes=False)
    await house.run(reading(SECOND, auction(1), auction(3)))
    once = house.harness.dump()
    await house.run(reading(SECOND, auction(1), auction(3)), finishes=False)
    assert house.harness.dump() == once


async def test_every_field_of_an_auction_is_kept(house: HouseRun) -> None:
    item = {"id": 7, "context": 22, "bonus_lists": [6654, 1709], "modifiers": [{"type": 9, "value": 30}]}
    await house.run(reading(FIRST, auction(1, bid=50, price=80, quantity=2, time_left="VERY_LONG") | {"item": item}))
    row = house.harness.row("SELECT * FROM market.auctions")
    assert row == {
        "region": "eu",
        "realm": 509,
        "auction_id": 1,
        "item_id": 7,
        "quantity": 2,
        "time_left": 4,
        "unit_price": None,
        "buyout": 80,
        "bid": 50,
        "context": 22,
        "bonus_lists": "[6654, 1709]",
        "modifiers": "[[9,30]]",
        "pet": None,
        "first_snapshot": FIRST,
        "last_snapshot": FIRST,
    }


async def test_a_caged_pet_keeps_its_four_fields(house: HouseRun) -> None:
    pet = {"id": 82800, "pet_breed_id": 3, "pet_level": 25, "pet_quality_id": 2, "pet_species_id": 39}
    await house.run(reading(FIRST, auction(1) | {"item": pet}))
    row = house.harness.row("SELECT item_id, pet FROM market.auctions")
    assert row == {"item_id": 82800, "pet": '{"species":39,"breed":3,"level":25,"quality":2}'}


async def test_a_word_for_time_left_that_nobody_knows_does_not_refuse_the_house(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1, time_left="ETERNAL"), auction(2, time_left="SHORT")))
    assert house.harness.rows("SELECT time_left FROM market.auctions") == [(0,), (1,)]


async def test_a_bid_that_rose_is_the_one_last_read(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1, price=None, bid=10)))
    await house.run(reading(SECOND, auction(1, price=None, bid=20, time_left="SHORT")))
    assert house.harness.rows("SELECT bid, time_left FROM market.auctions") == [(20, 1)]


async def test_two_houses_do_not_mix(database: Harness) -> None:
    one, other = HouseRun(database), HouseRun(database, "eu/510", "/data/wow/connected-realm/510/auctions")
    await one.run(reading(FIRST, auction(1)))
    await other.run(reading(FIRST, auction(1, item=9), auction(2, item=9)))
    await one.run(reading(SECOND, auction(4)))
    assert one.current() == [4]
    assert other.current() == [1, 2]


async def test_many_auctions_go_ahead_in_chunks(house: HouseRun) -> None:
    await house.run(reading(FIRST, *[auction(number, item=number) for number in range(1, 1101)]))
    sent = [statement for statement, _ in house.work.stored]
    assert sent == ["auction_upsert"] * 3 + ["price_upsert"] * 3
    assert len(house.current()) == 1100


# --- prices -----------------------------------------------------------------------------------


def history(house: HouseRun, item: int) -> list[tuple[Any, ...]]:
    return house.harness.rows(
        "SELECT snapshot, min_price, quantity, auctions FROM item_prices WHERE item_id = ? ORDER BY snapshot", item
    )


async def test_prices_are_written_only_when_they_change(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1, price=100), auction(2, item=8)))
    await house.run(reading(SECOND, auction(1, price=100), auction(3, item=8, price=40)))
    assert history(house, 7) == [(FIRST, 100, 1, 1)]
    assert history(house, 8) == [(FIRST, 100, 1, 1), (SECOND, 40, 1, 1)]


async def test_an_item_that_is_no_longer_on_sale_ends_with_zeros_and_may_return(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), auction(2, item=8)))
    await house.run(reading(SECOND, auction(2, item=8)))
    assert house.price(7) == (None, None, 0, 0)
    await house.run(reading(THIRD, auction(3, price=70), auction(2, item=8)))
    assert history(house, 7) == [(FIRST, 100, 1, 1), (SECOND, None, 0, 0), (THIRD, 70, 1, 1)]


async def test_prices_of_a_reading_that_died_count_for_nothing_and_harm_nothing(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1, price=100)))
    await house.run(reading(SECOND, auction(2, price=50)), finishes=False)
    assert house.price(7) == (100, 100, 1, 1)
    await house.run(reading(THIRD, auction(3, price=100)))
    assert house.price(7) == (100, 100, 1, 1)


# --- unknown items ----------------------------------------------------------------------------


def follow_ups(house: HouseRun) -> list[str]:
    job = house.harness.claim("auctions", house.house)
    rows = house.harness.query("auctions_follow_ups", house.harness.parameters(job))
    assert {row["worker"] for row in rows} <= {"items"}
    return [row["entity"] for row in rows]


async def test_items_nobody_has_read_become_follow_ups_once(house: HouseRun) -> None:
    outcome = await house.run(reading(FIRST, auction(1, item=7), auction(2, item=8), auction(3, item=7)))
    assert isinstance(outcome, Done)
    assert sorted(follow_ups(house)) == ["eu/7", "eu/8"]
    await house.run(reading(SECOND, auction(1, item=7)))
    assert follow_ups(house) == []


async def test_items_that_were_asked_for_are_no_follow_ups(house: HouseRun) -> None:
    job = house.harness.claim("items", "eu/7")
    house.harness.query("item_gone", house.harness.parameters(job))
    await house.run(reading(FIRST, auction(1, item=7), auction(2, item=8)))
    assert follow_ups(house) == ["eu/8"]


async def test_an_item_whose_follow_up_came_to_nothing_is_proposed_again_the_next_day(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    assert follow_ups(house) == ["eu/7"]
    house.harness.now += 86_401
    assert follow_ups(house) == ["eu/7"]


async def test_unknown_items_are_proposed_a_few_hundred_at_a_time(house: HouseRun) -> None:
    await house.run(reading(FIRST, *[auction(number, item=number) for number in range(1, 701)]))
    assert [len(follow_ups(house)) for _ in range(3)] == [500, 200, 0]
    assert house.harness.stale("items", limit=1000) == [f"eu/{item}" for item in range(1, 701)]
