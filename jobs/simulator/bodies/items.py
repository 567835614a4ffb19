"""Items and their icons. About two fifths of the ids have no item, as in the real list."""

from jobs.simulator.bodies.ask import Ask, Json, Page, Speech, page, self_link
from jobs.simulator.bodies.preview import preview
from jobs.simulator.chance import draw
from jobs.simulator.world.goods import Good, good

_BUILT_AT = 1_765_324_800.0  # the day of the game build that the static data belong to


def item(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/item/{id}: with preview_item, 2 to 5 KB with a locale."""
    found = _good(ask, which)
    return None if found is None else page(_item(ask, found), _BUILT_AT)


def item_media(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/media/item/{id}."""
    found = _good(ask, which)
    if found is None:
        return None
    icon = f"https://render.worldofwarcraft.com/{ask.region}/icons/56/{found.icon}.jpg"
    body = {
        "_links": self_link(ask.static(f"media/item/{found.id}")),
        "assets": [{"key": "icon", "value": icon, "file_data_id": 130_000 + found.id % 9000}],
        "id": found.id,
    }
    return page(body, _BUILT_AT)


def _item(ask: Speech, found: Good) -> Json:
    body: Json = {
        "_links": self_link(ask.static(f"item/{found.id}")),
        "id": found.id,
        "name": ask.text(found.name),
        "quality": ask.typed(*found.quality),
        "level": found.level,
        "required_level": found.required_level,
        "media": {"key": ask.static(f"media/item/{found.id}"), "id": found.id},
        "item_class": ask.named("item-class", *found.item_class),
        "item_subclass": {
            "key": ask.static(f"item-class/{found.item_class[0]}/item-subclass/{found.subclass[0]}"),
            "name": ask.text(found.subclass[1]),
            "id": found.subclass[0],
        },
        "inventory_type": ask.typed(*found.slot),
        "purchase_price": found.price * 5,
        "sell_price": found.price,
        "max_count": 0 if draw("max", found.id) % 9 else 1,
        "is_equippable": found.is_gear,
        "is_stackable": not found.is_gear,
        "purchase_quantity": 1,
    }
    if found.description:
        body["description"] = ask.text(found.description)
    if found.is_gear:
        look = found.id % 60_000
        body["appearances"] = [{"key": ask.static(f"item-appearance/{look}"), "id": look}]
    return body | {"preview_item": preview(ask, found)}


def _good(ask: Ask, which: str) -> Good | None:
    known = which.isdecimal() and ask.world.has_item(int(which))
    return good(ask.world.seed, int(which)) if known else None
