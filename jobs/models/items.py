"""Bodies about one item (recorded 2019-2026; one locale or all of them)."""

from jobs.models.common import Body, Named, Number, Typed
from jobs.names import Name


class Item(Body, frozen=True):
    """`/data/wow/item/{id}`. Prices are copper; `level` is the base item level."""

    id: Number
    name: Name
    quality: Typed
    item_class: Named
    item_subclass: Named
    inventory_type: Typed
    level: Number | None = None
    required_level: Number | None = None
    purchase_price: Number | None = None
    sell_price: Number | None = None
    is_equippable: bool | None = None
    is_stackable: bool | None = None


class Asset(Body, frozen=True):
    """One picture: {"key": "icon", "value": "https://…/icons/56/inv_sword_39.jpg"}."""

    key: str
    value: str


class ItemMedia(Body, frozen=True):
    """`/data/wow/media/item/{id}`; an item without an icon has no assets."""

    assets: list[Asset] = []
