"""What a character wears: 16 items of about 2 KB, chosen from templates made once."""

from functools import lru_cache

import msgspec

from jobs.simulator.bodies.ask import Ask, Json, Page, Speech, character_path, self_link
from jobs.simulator.bodies.preview import preview
from jobs.simulator.chance import dice, draw
from jobs.simulator.world.goods import ARMOR, QUALITIES, WEAPON, Good

_CHOICES = 12
_LEVEL = b"13579"  # a level that no other number of a template looks like
_SLOTS = (
    ("HEAD", "Head", "Hood"),
    ("NECK", "Neck", "Pendant"),
    ("SHOULDER", "Shoulders", "Spaulders"),
    ("BACK", "Back", "Cloak"),
    ("CHEST", "Chest", "Breastplate"),
    ("WRIST", "Wrist", "Cuffs"),
    ("HANDS", "Hands", "Gloves"),
    ("WAIST", "Waist", "Belt"),
    ("LEGS", "Legs", "Leggings"),
    ("FEET", "Feet", "Boots"),
    ("FINGER_1", "Ring 1", "Ring"),
    ("FINGER_2", "Ring 2", "Band"),
    ("TRINKET_1", "Trinket 1", "Idol"),
    ("TRINKET_2", "Trinket 2", "Charm"),
    ("MAIN_HAND", "Main Hand", "Blade"),
    ("OFF_HAND", "Off Hand", "Buckler"),
)
_ENCHANTED = ("CHEST", "FEET", "MAIN_HAND", "FINGER_1")


def equipment(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/equipment."""
    character = ask.found(realm, name)
    if character is None:
        return None
    chance = dice(character.number, "equipment", character.logins)
    templates = _templates(ask.region, ask.locale)
    worn = [
        chance.choice(templates[slot]).replace(_LEVEL, b"%d" % (character.item_level + chance.randint(-6, 6)))
        for slot in range(len(_SLOTS))
        if slot < len(_SLOTS) - 1 or chance.random() < 0.5
    ]
    link = ask.profile(f"{character_path(character)}/equipment")
    head = msgspec.json.encode({"_links": self_link(link), "character": ask.character(character)})
    body = head[:-1] + b',"equipped_items":[' + b",".join(worn) + b"]}"
    return Page(body, character.last_login)


@lru_cache(maxsize=16)
def _templates(region: str, locale: str) -> list[list[bytes]]:
    ask = Speech(region=region, locale=locale)
    return [[msgspec.json.encode(_worn(ask, slot, n)) for n in range(_CHOICES)] for slot in range(len(_SLOTS))]


def _worn(ask: Speech, slot: int, number: int) -> Json:
    kind, place, noun = _SLOTS[slot]
    item_id = 190_000 + slot * 100 + number
    good = Good(
        id=item_id,
        name=f"Patient {noun} of the Ferry" if number & 1 else f"Marshlight {noun}",
        quality=QUALITIES[3 + (number & 1)],
        level=int(_LEVEL),
        required_level=80,
        item_class=WEAPON if kind == "MAIN_HAND" else ARMOR,
        subclass=(7, "Sword") if kind == "MAIN_HAND" else (4, "Plate"),
        slot=(kind.split("_")[0], place),
        price=98_765,
        description="",
        icon="inv_misc_01",
    )
    body = preview(ask, good) | {"slot": ask.typed(kind, place), "quantity": 1, "modified_appearance_id": item_id * 2}
    if kind in _ENCHANTED:
        words = "Enchanted: Lanternlight"
        slot_of = {"id": 0, "type": "PERMANENT"}
        enchantment = {"display_string": ask.text(words), "enchantment_id": 7000 + number, "enchantment_slot": slot_of}
        source = ask.named("item", 200_000 + draw(slot, number) % 1000, "Bottled Lanternlight")
        body["enchantments"] = [enchantment | {"source_item": source}]
    if number % 4 == 0:
        shown = ask.named("item", item_id + 5000, f"Windworn {noun}")
        words = f"Transmogrified to: Windworn {noun}"
        body["transmog"] = {
            "item": shown,
            "display_string": ask.text(words),
            "item_modified_appearance_id": item_id,
        }
    return body
