"""Professions with their tiers and known recipes, from templates: all recipes of a tier are learned in one order."""

from functools import lru_cache

import msgspec

from jobs.simulator.bodies.ask import Json, Speech
from jobs.simulator.chance import dice, draw

_CRAFTS = {171: "Alchemy", 164: "Blacksmithing", 202: "Engineering", 773: "Inscription", 197: "Tailoring"}
_SECONDARY = {185: "Cooking", 356: "Fishing"}
_ARCHAEOLOGY = (794, "Archaeology")
_LANDS = ("Kul Tiran", "Shadowlands", "Dragon Isles", "Khaz Algar", "Outland", "Northrend")
_MOST_RECIPES = 64
_MOST_SKILL = 100


def primaries(region: str, locale: str, character: int) -> list[Json]:
    """Return two professions, or none for one character in eight."""
    chance = dice("professions", character)
    if chance.random() < 0.125:
        return []
    found = []
    for number in chance.sample(sorted(_CRAFTS), 2):
        tiers = [_tier(region, locale, number, land, chance.randint(1, _MOST_SKILL)) for land in _lands(character)]
        craft: Json = {"profession": _head(region, locale, number), "tiers": tiers}
        if number == 202 and chance.random() < 0.5:
            craft["specialization"] = {"name": Speech(region=region, locale=locale).text("Tinker of Small Wheels")}
        found.append(craft)
    return found


def secondaries(region: str, locale: str, character: int) -> list[Json]:
    """Return cooking and fishing with tiers, and archaeology without any."""
    chance = dice("secondaries", character)
    found: list[Json] = [
        {
            "profession": _head(region, locale, number),
            "tiers": [
                _tier(region, locale, number, land, chance.randint(1, _MOST_SKILL)) for land in _lands(character)
            ],
        }
        for number in _SECONDARY
    ]
    points = {"skill_points": chance.randint(1, 950), "max_skill_points": 950}
    return [*found, {"profession": _head(region, locale, _ARCHAEOLOGY[0]), **points}]


def _lands(character: int) -> range:
    first = draw("lands", character) % 4
    return range(first, min(len(_LANDS), first + 3))


def _tier(region: str, locale: str, profession: int, land: int, skill: int) -> Json:
    tier, recipes = _learned(region, locale, profession, land)
    body: Json = {"skill_points": skill, "max_skill_points": _MOST_SKILL, "tier": tier}
    if profession != 356:  # nothing is learned by fishing
        body["known_recipes"] = recipes[: skill * _MOST_RECIPES // _MOST_SKILL + 1]
    return body


@lru_cache(maxsize=512)
def _learned(region: str, locale: str, profession: int, land: int) -> tuple[msgspec.Raw, list[msgspec.Raw]]:
    ask = Speech(region=region, locale=locale)
    name = f"{_LANDS[land]} {(_CRAFTS | _SECONDARY)[profession]}"
    tier = {"name": ask.text(name), "id": 2400 + profession + land}
    first = profession * 100 + land * _MOST_RECIPES
    recipes = [ask.named("recipe", first + n, f"{name}: Recipe {n + 1}") for n in range(_MOST_RECIPES)]
    return _raw(tier), [_raw(recipe) for recipe in recipes]


@lru_cache(maxsize=128)
def _head(region: str, locale: str, number: int) -> msgspec.Raw:
    names = _CRAFTS | _SECONDARY | dict((_ARCHAEOLOGY,))
    return _raw(Speech(region=region, locale=locale).named("profession", number, names[number]))


def _raw(body: Json) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(body))
