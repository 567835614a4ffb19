"""What the items of a house cost: a few numbers per item out of all its offers."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

NOT_FOR_SALE = 1 << 62
MARKET_SHARE = 4


class Offer(NamedTuple):
    """So many units of an item, each for `price` copper; NOT_FOR_SALE when there is only a bid."""

    item_id: int
    price: int
    quantity: int


class ItemPrice(NamedTuple):
    """One item in one house; the order is that of statement `price_upsert`.

    min_price, market_price: copper per unit, None when nothing can be bought. quantity: units on
    offer, auctions: offers, both with those that can only be bid for.
    """

    item_id: int
    min_price: int | None
    market_price: int | None
    quantity: int
    auctions: int


def statistics(offers: Iterable[tuple[int, int, int]]) -> list[ItemPrice]:
    """Return one ItemPrice per item, by rising item number. offers: (item_id, price, quantity), any order."""
    ordered = sorted(offers)
    return [_of_item(item_id, list(group)) for item_id, group in groupby(ordered, key=itemgetter(0))]


def chunks(prices: list[ItemPrice], size: int) -> Iterator[tuple[int, int, list[ItemPrice]]]:
    """Cut into (first item, last item, prices): the ranges touch and cover all numbers, even without prices.

    A range says that nothing else in it is on sale, so no number may lie between two ranges.
    """
    first = 0
    starts = range(0, max(1, len(prices)), size)
    for start in starts:
        chunk = prices[start : start + size]
        last = NOT_FOR_SALE if start == starts[-1] else chunk[-1].item_id
        yield first, last, chunk
        first = last + 1


def _of_item(item_id: int, offers: list[tuple[int, int, int]]) -> ItemPrice:
    """offers: of one item, cheapest first."""
    quantity = sum(offer[2] for offer in offers)
    for_sale = sum(offer[2] for offer in offers if offer[1] < NOT_FOR_SALE)
    if not for_sale:
        return ItemPrice(item_id, None, None, quantity, len(offers))
    return ItemPrice(item_id, offers[0][1], _price_at(offers, -(-for_sale // MARKET_SHARE)), quantity, len(offers))


def _price_at(offers: list[tuple[int, int, int]], unit: int) -> int:
    """Return what the unit costs that is number `unit` (from 1), cheapest first."""
    seen = 0
    for _, price, quantity in offers:
        seen += quantity
        if seen >= unit:
            return price
    return offers[-1][1]
