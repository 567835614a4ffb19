"""Bodies of auction houses: large, so the types hold only what is stored and are not seen by the collector.

    house   {"connected_realm": …, "auctions": [AUCTION, …], "commodities": …}
    region  {"auctions": [COMMODITY, …]}
    Classic the first, with "id" and "name" of one of a realm's houses

Every array may hold stray elements without an id; they are skipped (recorded: a {"href": …}).
Before 2022 commodities stood among a house's auctions, with unit_price.
"""

from enum import Enum
from typing import TypeAlias

import msgspec

from jobs.models.common import Number

Row: TypeAlias = tuple[int | str | None, ...]


class TimeLeft(Enum):
    """How long an auction goes on: a word, and its place among the words."""

    UNKNOWN = ""
    SHORT = "SHORT"
    MEDIUM = "MEDIUM"
    LONG = "LONG"
    VERY_LONG = "VERY_LONG"

    @classmethod
    def _missing_(cls, value: object) -> "TimeLeft":
        """Take a new word as UNKNOWN: one word less is no reason to refuse a house."""
        return cls.UNKNOWN


_CODE = {word: code for code, word in enumerate(TimeLeft)}
_encode = msgspec.json.Encoder().encode
_NOTHING = msgspec.Raw()


class CommodityItem(msgspec.Struct, gc=False):
    """The item of a commodity: its number is all there is."""

    id: Number


class Commodity(msgspec.Struct, gc=False):
    """An offer of like units, each for `unit_price` copper."""

    id: Number = 0
    item: CommodityItem | None = None
    quantity: Number = 1
    unit_price: Number | None = None
    time_left: TimeLeft = TimeLeft.UNKNOWN

    def item_id(self) -> int:
        """Return the item's number, 0 when the body names none."""
        return self.item.id if self.item is not None else 0

    def price(self) -> int | None:
        """Return copper for one unit, None when it cannot be bought."""
        return self.unit_price

    def row(self) -> Row:
        """Return the values in the order of statement `auction_upsert`, nulls at the end left out."""
        return (self.id, self.item_id(), self.quantity, _CODE[self.time_left], self.unit_price)


class Modifier(msgspec.Struct, gc=False):
    """What makes an item differ: type 9 is the player level it was made for, and so on."""

    type: Number
    value: Number


class Item(msgspec.Struct, gc=False):
    """The item of an auction; battle pets (item 82800) have the four pet fields."""

    id: Number
    context: Number | None = None
    bonus_lists: msgspec.Raw = _NOTHING
    modifiers: list[Modifier] = []
    pet_species_id: Number | None = None
    pet_breed_id: Number | None = None
    pet_level: Number | None = None
    pet_quality_id: Number | None = None

    def bonus_text(self) -> str | None:
        """Return the bonus list as it came, a JSON array."""
        return bytes(self.bonus_lists).decode() if self.bonus_lists else None

    def modifiers_text(self) -> str | None:
        """Return the modifiers as JSON [[type, value], …]: half the size of the API's form."""
        if not self.modifiers:
            return None
        return _encode([(each.type, each.value) for each in self.modifiers]).decode()

    def pet_text(self) -> str | None:
        """Return the pet as JSON, None when it is none."""
        if self.pet_species_id is None:
            return None
        pet = {
            "species": self.pet_species_id,
            "breed": self.pet_breed_id,
            "level": self.pet_level,
            "quality": self.pet_quality_id,
        }
        return _encode(pet).decode()


class Auction(msgspec.Struct, gc=False):
    """An offer in a realm's house: bid and buyout are for all of it, and either may be absent."""

    id: Number = 0
    item: Item | None = None
    quantity: Number = 1
    time_left: TimeLeft = TimeLeft.UNKNOWN
    unit_price: Number | None = None
    buyout: Number | None = None
    bid: Number | None = None

    def item_id(self) -> int:
        """Return the item's number, 0 when the body names none."""
        return self.item.id if self.item is not None else 0

    def price(self) -> int | None:
        """Return copper for one unit, rounded down; None when it can only be bid for."""
        if self.unit_price is not None or self.buyout is None:
            return self.unit_price
        return self.buyout // max(1, self.quantity)

    def row(self) -> Row:
        """Return the values in the order of statement `auction_upsert`."""
        offer = (
            self.id,
            self.item_id(),
            self.quantity,
            _CODE[self.time_left],
            self.unit_price,
            self.buyout,
            self.bid,
        )
        item = self.item
        if item is None:
            return offer
        return (*offer, item.context, item.bonus_text(), item.modifiers_text(), item.pet_text())


class House(msgspec.Struct):
    """`/data/wow/connected-realm/{id}/auctions`."""

    auctions: list[Auction]


class Commodities(msgspec.Struct):
    """`/data/wow/auctions/commodities`."""

    auctions: list[Commodity]
