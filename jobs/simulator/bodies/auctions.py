"""Auction houses of connected realms, and a region's commodities: about 100 bytes an auction.

A body is made once for each snapshot, in the rendering thread, and remembered deflated.
"""

from functools import lru_cache

import msgspec

from jobs.simulator.bodies.ask import Ask, Json, Page, self_link
from jobs.simulator.bodies.realms import group
from jobs.simulator.chance import dice
from jobs.simulator.packing import pack
from jobs.simulator.world.market import Lot, lots, published
from jobs.simulator.world.world import HIGHEST_ITEM_ID, World

COMMODITY_HOUSE = 0
_REALM_GOODS, _COMMODITY_GOODS = 3000, 5000
_PET_CAGE = 82_800  # the one item in which all caged pets are sold
Stock = list[tuple[str, int]]  # the item's JSON, its usual price in copper


def connected_realm(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/connected-realm/{id}/auctions: gear, pets and other single things."""
    if group(ask, which) is None:
        return None
    path = f"connected-realm/{which}"
    head = {
        "_links": self_link(ask.dynamic(f"{path}/auctions")),
        "connected_realm": ask.dynamic(path),
        "commodities": ask.dynamic("auctions/commodities"),
    }
    return _snapshot(ask, int(which), head)


def commodities(ask: Ask) -> Page:
    """GET /data/wow/auctions/commodities: what stacks, one price a unit for the whole region."""
    return _snapshot(ask, COMMODITY_HOUSE, {"_links": self_link(ask.dynamic("auctions/commodities"))})


def _snapshot(ask: Ask, house: int, head: Json) -> Page:
    hour, published_at = published(ask.world.seed, ask.region, house, ask.world.clock.now())
    key = ("auctions", ask.region, house, hour)
    packed = ask.memory.get(key, lambda: pack(_body(ask, house, hour, head)))
    return Page(b"]}", published_at, packed)


def _body(ask: Ask, house: int, hour: int, head: Json) -> bytes:
    seed, options = ask.world.seed, ask.options
    if house == COMMODITY_HOUSE:
        stock = _commodity_goods(ask.world)
        rows = [_commodity(lot, stock) for lot in lots(seed, ask.region, house, hour, options.commodities)]
    else:
        stock = _realm_goods(ask.world)
        rows = [_auction(lot, stock) for lot in lots(seed, ask.region, house, hour, options.auctions)]
    return msgspec.json.encode(head)[:-1] + b',"auctions":[' + ",".join(rows).encode()


def _auction(lot: Lot, stock: Stock) -> str:
    chance = lot.chance
    item, usual = stock[(chance >> 4) % len(stock)]
    price = usual * (80 + (chance >> 20) % 90) // 10_000 * 100 + 100
    kind = chance >> 32 & 31
    offer = f'"buyout":{price}' if kind > 5 else f'"bid":{price // 2},"buyout":{price}' if kind else f'"bid":{price}'
    return f'{{"id":{lot.id},"item":{item},{offer},"quantity":1,"time_left":"{lot.time_left}"}}'


def _commodity(lot: Lot, stock: Stock) -> str:
    chance = lot.chance
    item, usual = stock[((chance >> 4) % len(stock)) * ((chance >> 17) % len(stock)) // len(stock)]  # few sell most
    price = usual * (90 + (chance >> 32) % 40) // 100 + 1
    quantity = 1 + (chance >> 44) % 200
    return f'{{"id":{lot.id},"item":{item},"quantity":{quantity},"unit_price":{price},"time_left":"{lot.time_left}"}}'


@lru_cache(maxsize=2)
def _realm_goods(world: World) -> Stock:
    chance = dice(world.seed, "realm goods")
    stock = []
    for _ in range(_REALM_GOODS):
        item: Json = {"id": _some_item(world, chance.randrange(1, HIGHEST_ITEM_ID))}
        kind = chance.random()
        if kind < 0.06:
            item = {"id": _PET_CAGE, "pet_breed_id": chance.randint(3, 12), "pet_level": chance.randint(1, 25)}
            item |= {"pet_quality_id": chance.randint(0, 3), "pet_species_id": chance.randint(39, 1166)}
        elif kind < 0.7:
            item["context"] = chance.randint(1, 40)
            item["bonus_lists"] = [chance.randint(1400, 9000) for _ in range(chance.randint(1, 3))]
            item["modifiers"] = [{"type": 9, "value": chance.randint(1, 80)}, {"type": 28, "value": 1000}]
        stock.append((msgspec.json.encode(item).decode(), int(chance.lognormvariate(13, 2)) + 10_000))
    return stock


@lru_cache(maxsize=2)
def _commodity_goods(world: World) -> Stock:
    chance = dice(world.seed, "commodity goods")
    items = [_some_item(world, chance.randrange(1, HIGHEST_ITEM_ID)) for _ in range(_COMMODITY_GOODS)]
    return [(f'{{"id":{item}}}', int(chance.lognormvariate(9, 2)) + 100) for item in items]


def _some_item(world: World, near: int) -> int:
    while not world.has_item(near):
        near = near % HIGHEST_ITEM_ID + 1
    return near
