"""The tooltip of an item, which the API repeats inside items and equipment."""

from random import Random

from jobs.simulator.bodies.ask import Json, Speech
from jobs.simulator.chance import dice
from jobs.simulator.world.goods import WEAPON, Good

_WHITE, _GREEN, _GREY = (255, 255, 255), (0, 255, 0), (128, 128, 128)
_MAIN_STATS = (("INTELLECT", "Intellect"), ("STRENGTH", "Strength"), ("AGILITY", "Agility"))
_EXTRA_STATS = (("CRIT_RATING", "Critical Strike"), ("HASTE_RATING", "Haste"), ("VERSATILITY", "Versatility"))
_BINDINGS = (("ON_EQUIP", "Binds when equipped"), ("ON_ACQUIRE", "Binds when picked up"))


def preview(ask: Speech, good: Good) -> Json:
    """Return `preview_item`: what every item has, what gear has, and what some have."""
    chance = dice("preview", good.id)
    body: Json = {
        "item": {"key": ask.static(f"item/{good.id}"), "id": good.id},
        "quality": ask.typed(*good.quality),
        "name": ask.text(good.name),
        "media": {"key": ask.static(f"media/item/{good.id}"), "id": good.id},
        "item_class": ask.named("item-class", *good.item_class),
        "item_subclass": {
            "key": ask.static(f"item-class/{good.item_class[0]}/item-subclass/{good.subclass[0]}"),
            "name": ask.text(good.subclass[1]),
            "id": good.subclass[0],
        },
        "inventory_type": ask.typed(*good.slot),
        "sell_price": _price(ask, good.price),
    }
    if good.description:
        body["description"] = ask.text(good.description)
    return body | (_gear(ask, good, chance) if good.is_gear else _other(ask, good, chance))


def shown(ask: Speech, value: int | float, words: str, color: tuple[int, int, int] = _WHITE) -> Json:
    """Return {"value", "display"} with a coloured text."""
    return {"value": value, "display": colored(ask, words, color)}


def colored(ask: Speech, words: str, color: tuple[int, int, int]) -> Json:
    """Return {"display_string", "color"}."""
    return {"display_string": ask.text(words), "color": dict(zip("rgb", color, strict=True)) | {"a": 1.0}}


def simple(ask: Speech, value: int | float, words: str) -> Json:
    """Return {"value", "display_string"}."""
    return {"value": value, "display_string": ask.text(words)}


def stats(ask: Speech, level: int, chance: Random) -> list[Json]:
    """Return the three main stats, of which one works, stamina, and an extra one."""
    value = 1 + level // 9
    main = chance.randrange(len(_MAIN_STATS))
    rows = []
    for number, (kind, name) in enumerate((*_MAIN_STATS, ("STAMINA", "Stamina"))):
        idle = number != main and kind != "STAMINA"
        row = {"type": ask.typed(kind, name), **shown(ask, value, f"+{value} {name}", _GREY if idle else _WHITE)}
        rows.append(row | {"is_negated": True} if idle else row)
    kind, name = chance.choice(_EXTRA_STATS)
    extra = {"type": ask.typed(kind, name), **shown(ask, value, f"+{value} {name}", _GREEN), "is_equip_bonus": True}
    return [*rows, extra]


def _gear(ask: Speech, good: Good, chance: Random) -> Json:
    body: Json = {
        "binding": ask.typed(*chance.choice(_BINDINGS)),
        "stats": stats(ask, good.level, chance),
        "level": simple(ask, good.level, f"Item Level {good.level}"),
        "durability": simple(ask, 80, "Durability 80 / 80"),
        "requirements": {"level": simple(ask, good.required_level, f"Requires Level {good.required_level}")},
        "context": chance.randrange(40),
        "bonus_list": [chance.randrange(1400, 9000) for _ in range(chance.randint(1, 3))],
    }
    if good.item_class == WEAPON:
        body["weapon"] = _weapon(ask, good.level)
    else:
        body["armor"] = shown(ask, good.level // 3 + 1, f"{good.level // 3 + 1} Armor")
    if chance.random() < 0.2:
        body["sockets"] = [{"socket_type": ask.typed("PRISMATIC", "Prismatic Socket")}]
    if chance.random() < 0.1:
        body["unique_equipped"] = ask.text("Unique-Equipped")
    if chance.random() < 0.2:
        body["name_description"] = colored(ask, "Lanternlit", _GREEN)
    return body


def _other(ask: Speech, good: Good, chance: Random) -> Json:
    body: Json = {}
    if good.item_class[1] == "Consumable":
        spell = {"key": ask.static(f"spell/{good.id + 100_000}"), "name": ask.text(good.name), "id": good.id + 100_000}
        body["spells"] = [{"spell": spell, "description": ask.text("Use: Warms the hands. (5 Min Cooldown)")}]
    if good.item_class[1] == "Tradeskill":
        body["crafting_reagent"] = ask.text("Crafting Reagent")
        skill = ask.named("profession", 773, "Inscription")
        body["requirements"] = {"skill": {"profession": skill, "level": 1, "display_string": ask.text("Millable")}}
    if good.item_class[1] == "Container":
        body["container_slots"] = simple(ask, 6, "6 Slot Bag")
    if chance.random() < 0.5:
        body["is_subclass_hidden"] = True
    return body


def _weapon(ask: Speech, level: int) -> Json:
    least, most, speed = level + 1, level * 2 + 2, 2.6
    dps = (least + most) / 2 / speed
    damage = {
        "min_value": least,
        "max_value": most,
        "display_string": ask.text(f"{least} - {most} Damage"),
        "damage_class": ask.typed("PHYSICAL", "Physical"),
    }
    return {
        "damage": damage,
        "attack_speed": simple(ask, int(speed * 1000), f"Speed {speed:.2f}"),
        "dps": simple(ask, round(dps, 4), f"({dps:.1f} damage per second)"),
    }


def _price(ask: Speech, copper: int) -> Json:
    coins = {"gold": str(copper // 10_000), "silver": str(copper // 100 % 100), "copper": str(copper % 100)}
    shown_coins = {coin: ask.text(amount) for coin, amount in coins.items()}
    return {"value": copper, "display_strings": {"header": ask.text("Sell Price:"), **shown_coins}}
