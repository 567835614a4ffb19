"""Worker auctions: what one conditional request leads to."""

from email.utils import formatdate

import pytest

from jobs import auctions
from supervisor.worker.sdk import Done, Gone, Retry, Skipped, Snooze, Unparsed
from tests.jobs.auction_support import (
    COMMODITIES_PATH,
    DATES,
    FIRST,
    SECOND,
    THIRD,
    HouseRun,
    auction,
    body,
    reading,
)
from tests.jobs.harness import Harness
from tests.jobs.support import cut, empty_404, fails, html, missing, ok, status


@pytest.fixture
def house(database: Harness) -> HouseRun:
    return HouseRun(database)


def snapshots(house: HouseRun) -> list[int]:
    return [number for (number,) in house.harness.rows("SELECT snapshot FROM auction_snapshots ORDER BY snapshot")]


async def test_a_house_never_seen_is_asked_for_unconditionally(house: HouseRun) -> None:
    outcome = await house.run(reading(FIRST, auction(1), auction(2)))
    (request,) = house.work.client.requests
    assert isinstance(outcome, Done)
    assert request["headers"] == {"Battlenet-Namespace": "dynamic-eu"}
    assert house.current() == [1, 2]


async def test_a_known_house_is_asked_for_with_the_published_date(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    await house.run(status(304))
    assert house.work.client.requests[0]["headers"]["If-Modified-Since"] == DATES[FIRST]


async def test_not_modified_is_skipped_and_noted_as_checked(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    house.harness.now += 600
    outcome = await house.run(status(304))
    assert isinstance(outcome, Skipped)
    assert house.harness.row("SELECT checked_at FROM auction_snapshots")["checked_at"] == house.harness.now
    assert house.current() == [1]


async def test_a_304_that_nobody_asked_for_is_a_failure(house: HouseRun) -> None:
    assert isinstance(await house.run(status(304)), Retry)


async def test_the_published_date_again_is_skipped_without_opening_the_body(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    outcome = await house.run(reading(FIRST, auction(2)))
    assert isinstance(outcome, Skipped)
    assert house.work.big_bodies == 0
    assert house.current() == [1]


async def test_an_older_answer_changes_nothing(house: HouseRun) -> None:
    await house.run(reading(SECOND, auction(1)))
    before = house.harness.dump()
    outcome = await house.run(reading(FIRST, auction(2)))
    assert isinstance(outcome, Skipped)
    assert house.harness.dump() == before


async def test_the_same_content_under_a_newer_date_is_skipped_and_the_date_advances(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    outcome = await house.run(reading(SECOND, auction(1)))
    assert isinstance(outcome, Skipped)
    assert house.work.stored == []
    await house.run(status(304))
    assert house.work.client.requests[0]["headers"]["If-Modified-Since"] == DATES[SECOND]
    assert snapshots(house) == [FIRST]
    assert house.current() == [1]


async def test_a_date_with_one_digit_is_read(house: HouseRun) -> None:
    await house.run(ok(body(auction(1)), last_modified="Sat, 3 Oct 2020 08:00:00 GMT"))
    assert snapshots(house) == [1_601_712_000]


@pytest.mark.parametrize("headers", [{}, {"last_modified": "yesterday"}])
async def test_without_a_usable_date_the_wall_clock_numbers_the_reading(
    house: HouseRun, headers: dict[str, str]
) -> None:
    await house.run(ok(body(auction(1)), **headers))
    assert snapshots(house) == [int(house.harness.now)]


async def test_without_a_date_a_changed_body_is_newer_than_the_published_one(house: HouseRun) -> None:
    await house.run(ok(body(auction(1))))
    await house.run(ok(body(auction(2))))
    assert snapshots(house) == [int(house.harness.now), int(house.harness.now) + 1]
    assert house.current() == [2]


@pytest.mark.parametrize("date", ["Sat, 03 Oct 2099 10:00:00 GMT", "Sat, 03 Oct 99999 10:00:00 GMT", "3 \udcff 2020"])
async def test_a_date_that_cannot_be_makes_no_later_reading_older(house: HouseRun, date: str) -> None:
    await house.run(reading(FIRST, auction(1)))
    await house.run(ok(body(auction(2)), last_modified=date))
    assert house.current() == [2]
    house.harness.now += 3600.0
    await house.run(ok(body(auction(3)), last_modified=formatdate(house.harness.now, usegmt=True)))
    assert house.work.client.requests[0]["headers"].get("If-Modified-Since") is None
    assert house.current() == [3]


async def test_commodities_have_their_own_address_and_house(database: Harness) -> None:
    house = HouseRun(database, "eu/commodities", COMMODITIES_PATH)
    offers = [{"id": 5, "item": {"id": 9}, "quantity": 20, "unit_price": 300, "time_left": "SHORT"}]
    await house.run(ok({"_links": {}, "auctions": offers}, last_modified=DATES[FIRST]))
    assert house.current() == [5]
    assert house.price(9) == (300, 300, 20, 1)
    assert database.rows("SELECT realm, unit_price, quantity, time_left FROM market.auctions") == [
        ("commodities", 300, 20, 1)
    ]


async def test_a_recently_compared_house_costs_no_request_when_the_job_allows_its_age(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1)))
    house.harness.now += 60
    outcome = await house.run(max_age_s=120.0)
    assert isinstance(outcome, Skipped)
    assert outcome.saved == 1


async def test_an_unknown_house_is_gone_and_nothing_is_stored(house: HouseRun) -> None:
    assert isinstance(await house.run(missing()), Gone)


@pytest.mark.parametrize(
    "answer",
    [empty_404(), html(), status(403), status(500), status(503), fails("timeout"), cut(body(auction(1), auction(2)))],
    ids=["empty 404", "html", "403", "500", "503", "timeout", "cut"],
)
async def test_a_passing_failure_is_retried_and_changes_nothing(house: HouseRun, answer: object) -> None:
    await house.run(reading(FIRST, auction(1)))
    before = house.harness.dump()
    outcome = await house.run(answer)  # type: ignore[arg-type]  # each is a Scripted
    assert isinstance(outcome, Retry)
    assert house.harness.dump() == before


async def test_a_drain_snoozes(house: HouseRun) -> None:
    assert isinstance(await house.run(fails("draining")), Snooze)


async def test_an_unknown_shape_is_unparsed_and_feeds_the_brake(house: HouseRun) -> None:
    outcome = await house.run(ok({"auctions": {"id": 1}}, last_modified=DATES[FIRST]))
    assert isinstance(outcome, Unparsed)
    assert outcome.endpoint == "auctions"
    assert house.work.shapes == [("auctions", False)]
    assert snapshots(house) == []


async def test_renamed_fields_are_an_unknown_shape_too(house: HouseRun) -> None:
    renamed = [{"auction_id": number, "item": {"id": 7}, "buyout": 1} for number in range(300)]
    assert isinstance(await house.run(ok(body(*renamed), last_modified=DATES[FIRST])), Unparsed)
    unpriced = [auction(number, price=None, price_per_unit=5) for number in range(1, 300)]
    assert isinstance(await house.run(ok(body(*unpriced), last_modified=DATES[FIRST])), Unparsed)


async def test_a_stray_element_without_an_id_is_skipped(house: HouseRun) -> None:
    await house.run(reading(FIRST, auction(1), {"href": "https://example.org"}))
    assert house.current() == [1]


async def test_a_braked_endpoint_is_not_asked(house: HouseRun) -> None:
    house.work.braked.add("auctions")
    outcome = await auctions.run(house.harness.claim("auctions", house.house), house.work)
    assert isinstance(outcome, Snooze)


async def test_an_empty_house_never_seen_before_is_published(house: HouseRun) -> None:
    assert isinstance(await house.run(reading(FIRST)), Done)
    assert snapshots(house) == [FIRST]


async def test_a_house_that_suddenly_is_nearly_empty_is_not_believed(house: HouseRun) -> None:
    await house.run(reading(FIRST, *many(1000)))
    outcome = await house.run(reading(SECOND, *many(3)))
    assert isinstance(outcome, Skipped)
    assert snapshots(house) == [FIRST]
    assert len(house.current()) == 1000


async def test_it_is_believed_when_the_api_says_so_for_hours(house: HouseRun) -> None:
    await house.run(reading(FIRST, *many(1000)))
    await house.run(reading(SECOND))
    house.harness.now += 3600
    assert isinstance(await house.run(reading(THIRD)), Skipped)
    house.harness.now += 3600
    assert isinstance(await house.run(reading(THIRD)), Done)
    assert house.current() == []
    assert house.price(7) == (None, None, 0, 0)


async def test_a_believable_answer_ends_the_doubt(house: HouseRun) -> None:
    await house.run(reading(FIRST, *many(1000)))
    await house.run(reading(SECOND))
    await house.run(status(304))
    house.harness.now += 10_000
    assert isinstance(await house.run(reading(THIRD)), Skipped)


def many(count: int) -> list[dict[str, object]]:
    return [auction(number) for number in range(1, count + 1)]
