"""Specializations of a character with talent loadouts, about 10 KB a specialization."""

from functools import lru_cache
from typing import Any

import msgspec

from jobs.simulator.bodies.ask import Ask, Json, Page, Speech, character_path, page, self_link
from jobs.simulator.chance import draw
from jobs.simulator.world.people import CLASS_NAMES, SPECIALIZATIONS, Specialization

_CLASS_TALENTS, _SPEC_TALENTS, _HERO_TALENTS = 20, 20, 10
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def specializations(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/specializations."""
    character = ask.found(realm, name)
    if character is None:
        return None
    tree = _hero_tree(ask, character.spec)
    body = {
        "_links": self_link(ask.profile(f"{character_path(character)}/specializations")),
        "specializations": _all(ask.region, ask.locale, character.class_id),
        "active_specialization": ask.named("playable-specialization", character.spec.id, character.spec.name),
        "character": ask.character(character),
        "active_hero_talent_tree": tree,
    }
    return page(body, character.last_login)


@lru_cache(maxsize=64)
def _all(region: str, locale: str, class_id: int) -> msgspec.Raw:
    ask = Speech(region=region, locale=locale)
    specs = [_specialization(ask, class_id, spec) for spec in SPECIALIZATIONS[class_id]]
    return msgspec.Raw(msgspec.json.encode(specs))


def _specialization(ask: Speech, class_id: int, spec: Specialization) -> Json:
    return {
        "specialization": ask.named("playable-specialization", spec.id, spec.name),
        "pvp_talent_slots": [
            {"selected": _tooltip(ask, spec.id * 10 + number), "slot_number": number + 2} for number in range(3)
        ],
        "loadouts": [_loadout(ask, class_id, spec)],
    }


def _loadout(ask: Speech, class_id: int, spec: Specialization) -> Json:
    code = "".join(_ALPHABET[draw("code", spec.id, at) % len(_ALPHABET)] for at in range(80))
    tree = f"talent-tree/{700 + class_id}"
    return {
        "is_active": True,
        "talent_loadout_code": code,
        "selected_class_talents": _talents(ask, class_id * 1000, _CLASS_TALENTS),
        "selected_spec_talents": _talents(ask, spec.id * 100, _SPEC_TALENTS),
        "selected_hero_talents": _talents(ask, spec.id * 100 + 50, _HERO_TALENTS),
        "selected_class_talent_tree": {"key": ask.static(tree), "name": ask.text(CLASS_NAMES[class_id])},
        "selected_spec_talent_tree": {
            "key": ask.static(f"{tree}/playable-specialization/{spec.id}"),
            "name": ask.text(spec.name),
        },
        "selected_hero_talent_tree": _hero_tree(ask, spec),
    }


def _talents(ask: Speech, first: int, count: int) -> list[dict[str, Any]]:
    return [{"id": first + n, "rank": 1 + n % 2, "tooltip": _tooltip(ask, first + n)} for n in range(count)]


def _tooltip(ask: Speech, number: int) -> Json:
    name = f"Knack {number}"
    spell = {"key": ask.static(f"spell/{400_000 + number}"), "name": ask.text(name), "id": 400_000 + number}
    tooltip = {"spell": spell, "description": ask.text("Does what it says, a little better."), "cast_time": "Instant"}
    return {"talent": ask.named("talent", 110_000 + number, name), "spell_tooltip": tooltip}


def _hero_tree(ask: Speech, spec: Specialization) -> Json:
    return ask.named("hero-talent-tree", 20 + spec.id % 40, "Keeper of the Weir")
