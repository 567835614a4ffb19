"""What old market data goes, and what must stay however old it is."""

import pytest

from tests.jobs.auction_support import FIRST, SECOND, THIRD, HouseRun, auction, reading
from tests.jobs.harness import Harness
from tests.jobs.support import status

DAY_S = 86_400.0


@pytest.fixture
def house(database: Harness) -> HouseRun:
    return HouseRun(database)


def auctions(database: Harness) -> list[int]:
    return [number for (number,) in database.rows("SELECT auction_id FROM market.auctions ORDER BY 1")]


def sweep(database: Harness, name: str, before: float, turns: int = 20) -> None:
    for turn in range(turns):
        database.retain(name, before, turn)


async def test_auctions_that_ended_before_the_limit_go_and_those_offered_now_stay(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), auction(2)))
    await house.run(reading(SECOND, auction(2), auction(3)))
    await house.run(reading(THIRD, auction(3)))
    sweep(house.harness, "auctions", before=SECOND)
    assert auctions(house.harness) == [2, 3]
    sweep(house.harness, "auctions", before=house.harness.now)
    assert auctions(house.harness) == [3]


async def test_a_house_that_stands_still_keeps_its_auctions_while_the_api_confirms_them(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    house.harness.now += 30 * DAY_S
    await house.run(status(304))
    sweep(house.harness, "auctions", before=house.harness.now - DAY_S)
    sweep(house.harness, "auction_snapshots", before=house.harness.now - DAY_S)
    assert house.current() == [1]


async def test_a_house_that_nobody_could_check_goes_as_a_whole(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    await house.run(reading(SECOND, auction(1)))
    house.harness.now += 3 * DAY_S
    before = house.harness.now - DAY_S
    sweep(house.harness, "auction_snapshots", before)
    assert house.harness.rows("SELECT snapshot FROM auction_snapshots") != [], "its rows still need it"
    for name in ("auctions", "item_prices", "auction_snapshots"):
        sweep(house.harness, name, before)
    dump = house.harness.dump()
    assert (dump["market.auctions"], dump["item_prices"], dump["auction_snapshots"]) == ([], [], [])


async def test_a_turn_deletes_at_most_500(house: HouseRun) -> None:
    await house.run(reading(FIRST, *[auction(number) for number in range(1, 801)]))
    await house.run(reading(SECOND, *[auction(number) for number in range(801, 1601)]))
    house.harness.retain("auctions", before=SECOND)
    assert len(auctions(house.harness)) == 1100


async def test_turns_walk_over_all_houses(database: Harness) -> None:
    houses = [HouseRun(database, f"eu/{n}", f"/data/wow/connected-realm/{n}/auctions") for n in (1, 2, 3)]
    for each in houses:
        await each.run(reading(FIRST, auction(1)))
        await each.run(reading(SECOND, auction(2)))
    database.db.execute("UPDATE auction_snapshots SET auctions = 39999")
    left = []
    for turn in (70, 71, 72, 73):
        database.retain("auctions", before=SECOND, turn=turn)
        left.append(len(auctions(database)))
    assert sorted(set(left)) == [3, 4, 5], "a turn is one house here"
    assert auctions(database) == [2, 2, 2]


async def test_a_large_house_is_swept_in_stretches_that_leave_nothing_out(house: HouseRun) -> None:
    await house.run(reading(FIRST, *[auction(number) for number in range(1, 400, 7)]))
    await house.run(reading(SECOND, auction(999)))
    house.harness.db.execute("UPDATE auction_snapshots SET auctions = 130000")
    seen = set()
    for turn in range(8, 20):
        house.harness.retain("auctions", before=SECOND, turn=turn)
        seen.add(len(auctions(house.harness)))
    assert len(seen) > 1, "one turn took more than its stretch"
    assert auctions(house.harness) == [999]


async def test_the_price_that_held_at_the_limit_stays(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1, price=10)))
    await house.run(reading(SECOND, auction(1, price=20)))
    await house.run(reading(THIRD, auction(1, price=30)))
    sweep(house.harness, "item_prices", before=SECOND + 60)
    assert house.harness.rows("SELECT min_price FROM item_prices ORDER BY snapshot") == [(20,), (30,)]


async def test_an_item_that_left_before_the_limit_leaves_no_price(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), auction(2, item=8)))
    await house.run(reading(SECOND, auction(2, item=8)))
    sweep(house.harness, "item_prices", before=SECOND + 60)
    assert house.harness.rows("SELECT item_id FROM item_prices") == [(8,)]


async def test_the_newest_snapshot_of_a_house_stays(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    await house.run(reading(SECOND, auction(1)))
    await house.run(reading(THIRD, auction(1), auction(2)))
    sweep(house.harness, "auction_snapshots", before=house.harness.now + 1)
    assert house.harness.rows("SELECT snapshot FROM auction_snapshots") == [(THIRD,)]
