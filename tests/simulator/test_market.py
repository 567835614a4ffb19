"""Auction snapshots: when they appear and what stays the same between them."""

import json

from jobs.simulator.world.clock import HOUR_S
from jobs.simulator.world.market import lots, published
from tests.simulator.worlds import OPTIONS, Reader, make_world
from tests.support.clock import FakeClock

NOW = 1_790_000_000.0


def test_snapshot_of_an_hour_shares_most_auctions_with_the_one_before() -> None:
    before = {lot.id: lot for lot in lots(1, "eu", 500, 497_000, 2000)}
    after = {lot.id: lot for lot in lots(1, "eu", 500, 497_001, 2000)}
    kept = before.keys() & after.keys()
    assert 1850 < len(after) < 2150
    assert 0.9 < len(kept) / len(after) < 0.99
    assert all(before[number].chance == after[number].chance for number in kept)
    assert all(before[number].left_h == after[number].left_h + 1 for number in kept)


def test_auction_that_has_gone_never_comes_back() -> None:
    seen: set[int] = set()
    gone: set[int] = set()
    last: set[int] = set()
    for hour in range(497_000, 497_060):
        now = {lot.id for lot in lots(1, "eu", 500, hour, 300)}
        gone |= last - now
        assert not gone & now
        seen |= now
        last = now
    assert len(seen) > 800


def test_houses_of_a_region_publish_within_two_minutes_of_each_other_once_an_hour() -> None:
    moments = [published(1, "eu", house, NOW)[1] for house in range(500, 540)]
    assert max(moment % HOUR_S for moment in moments) - min(moment % HOUR_S for moment in moments) < 120
    hour, at = published(1, "eu", 500, NOW)
    assert at <= NOW < at + HOUR_S
    assert published(1, "eu", 500, at + HOUR_S) == (hour + 1, at + HOUR_S)
    assert published(1, "eu", 500, at + HOUR_S - 0.5) == (hour, at)


def test_body_changes_with_the_worlds_hour_and_so_does_its_date() -> None:
    clock = FakeClock()
    world = make_world(clock=clock)
    reader = Reader(world)
    path = "/data/wow/connected-realm/500/auctions"
    first, again = reader.page(path), reader.page(path)
    assert first is not None
    assert first == again
    clock.set(clock.monotonic() + HOUR_S)
    second = reader.page(path)
    assert second is not None
    assert second.modified == first.modified + HOUR_S
    assert second.packed != first.packed


def test_auctions_have_the_sizes_and_items_of_the_world() -> None:
    world = make_world()
    raw = Reader(world).raw("/data/wow/auctions/commodities")
    auctions = json.loads(raw)["auctions"]
    assert abs(len(auctions) - OPTIONS.commodities) < 100
    assert 80 < len(raw) / len(auctions) < 120
    assert all(world.has_item(auction["item"]["id"]) for auction in auctions)
    assert len({auction["id"] for auction in auctions}) == len(auctions)
