"""Numbers per item out of the offers of a house."""

from jobs.prices import NOT_FOR_SALE, ItemPrice, chunks, statistics


def test_one_offer_is_its_own_price() -> None:
    assert statistics([(7, 100, 3)]) == [ItemPrice(7, 100, 100, 3, 1)]


def test_market_price_is_that_of_the_unit_at_a_quarter() -> None:
    offers = [(7, 1, 1), (7, 50, 10), (7, 60, 30), (7, 9_999, 9)]
    assert statistics(offers) == [ItemPrice(7, 1, 60, 50, 4)]


def test_one_bargain_and_many_dreamers_leave_the_market_price_alone() -> None:
    plain = [(7, 100, 1)] * 20
    assert statistics([*plain, (7, 1, 1), *[(7, 10**9, 1)] * 20])[0].market_price == 100


def test_offers_with_only_a_bid_count_as_quantity_but_have_no_price() -> None:
    assert statistics([(7, NOT_FOR_SALE, 2)]) == [ItemPrice(7, None, None, 2, 1)]
    assert statistics([(7, NOT_FOR_SALE, 2), (7, 40, 1)]) == [ItemPrice(7, 40, 40, 3, 2)]


def test_items_come_by_rising_number_whatever_the_order_of_offers() -> None:
    assert [price.item_id for price in statistics([(9, 1, 1), (2, 1, 1), (9, 2, 1), (5, 1, 1)])] == [2, 5, 9]


def test_ranges_of_chunks_touch_and_cover_every_number() -> None:
    prices = statistics([(item, 1, 1) for item in (3, 10, 11, 500, 501)])
    ranges = [(first, last) for first, last, _ in chunks(prices, 2)]
    assert ranges == [(0, 10), (11, 500), (501, NOT_FOR_SALE)]


def test_an_empty_house_is_one_range_without_prices() -> None:
    assert list(chunks([], 500)) == [(0, NOT_FOR_SALE, [])]
