"""Pets and mounts of an account: one list for all its characters, under a link of each one's own.

A pet or mount is a template made once; an account's list is a choice of templates joined and filled with the ids of
its pets, deflated once and remembered (see `packing`). So equal accounts have equal lists, and only equal accounts.
The link to oneself stands last, not first as in the recordings: the kept part must be the beginning.
"""

from collections.abc import Callable
from functools import lru_cache
from random import Random

import msgspec

from jobs.simulator.bodies.ask import Ask, Json, Page, Speech, character_path, self_link
from jobs.simulator.chance import dice, draw
from jobs.simulator.packing import pack
from jobs.simulator.world.characters import Character
from jobs.simulator.world.geography import REGIONS

MOST_PETS, MOST_MOUNTS = 1128, 530  # of the one recorded collection
PETLESS_SHARE = 0.05
_VARIANTS = 4
_SLOTS = 3
_QUALITIES = (("POOR", "Poor"), ("COMMON", "Common"), ("UNCOMMON", "Uncommon"), ("RARE", "Rare"))
_KINDS = ["Wisp", "Newt", "Beetle", "Cub", "Owlet", "Snail", "Kitling", "Moth", "Crab", "Sprite", "Hare", "Toad"]
_LOOKS = [
    "Pale",
    "Mossy",
    "Amber",
    "Dusky",
    "Tiny",
    "Gilded",
    "Sleepy",
    "Spotted",
    "Frosty",
    "Loud",
    "Humble",
    "Curious",
    "Wandering",
]
_STEEDS = ["Charger", "Ram", "Drake", "Strider", "Yak", "Gryphon", "Raptor", "Elk", "Hawk", "Mammoth", "Disc"]
_MARK = 9_007_199_254_740_991  # stands for a pet's id in a template; no other number in it looks like this


def pets(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/collections/pets: 0 to 1,128 pets, about 410 B each."""
    character = ask.found(realm, name)
    return None if character is None else _collection(ask, character, "pets", _pets)


def mounts(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/collections/mounts: up to 530 mounts, about 150 B each."""
    character = ask.found(realm, name)
    return None if character is None else _collection(ask, character, "mounts", _mounts)


def _collection(ask: Ask, character: Character, kind: str, make: Callable[[Ask, int], bytes]) -> Page:
    key = (kind, ask.region, ask.locale, character.account)
    packed = ask.memory.get(key, lambda: pack(make(ask, character.account)))
    link = ask.profile(f"{character_path(character)}/collections/{kind}")
    rest = b',"_links":' + msgspec.json.encode(self_link(link)) + b"}"
    return Page(rest, character.last_login, packed)


def _pets(ask: Ask, account: int) -> bytes:
    chance = dice(ask.world.seed, "pets", ask.region, account)
    templates = _pet_templates(ask.region, ask.locale)
    chosen = _choice(chance, templates, 0.0 if chance.random() < PETLESS_SHARE else chance.random() ** 2)
    for slot in range(min(_SLOTS, len(chosen))):
        chosen[slot] = chosen[slot][:-1] + b',"is_active":true,"active_slot":%d}' % (slot + 1)
    first = (REGIONS[ask.region] * 20_000_000 + account) * 2048
    ids = tuple(range(first, first + len(chosen)))
    slots = b'],"unlocked_battle_pet_slots":%d' % (_SLOTS if chosen else 1)
    return b'{"pets":[' + b",".join(chosen) % ids + slots


def _mounts(ask: Ask, account: int) -> bytes:
    chance = dice(ask.world.seed, "mounts", ask.region, account)
    chosen = _choice(chance, _mount_templates(ask.region, ask.locale), chance.random() ** 1.5)
    return b'{"mounts":[' + b",".join(chosen) + b"]"


def _choice(chance: Random, templates: list[list[bytes]], share: float) -> list[bytes]:
    """Return that share of the templates, a variant of each."""
    below = round(share * 256)
    owned, variants = chance.randbytes(len(templates)), chance.randbytes(len(templates))
    return [
        variant_of[variant % _VARIANTS]
        for variant_of, own, variant in zip(templates, owned, variants, strict=True)
        if own < below
    ]


@lru_cache(maxsize=16)
def _pet_templates(region: str, locale: str) -> list[list[bytes]]:
    ask = Speech(region=region, locale=locale)
    return [[_pet(ask, species, variant) for variant in range(_VARIANTS)] for species in range(39, 39 + MOST_PETS)]


def _pet(ask: Speech, species: int, variant: int) -> bytes:
    chance = draw("pet", species, variant)
    level = 25 if variant % 2 else 1 + chance % 24
    body: Json = {
        "species": ask.named("pet", species, _name(species, _LOOKS, _KINDS)),
        "level": level,
        "quality": ask.typed(*_QUALITIES[3 if variant else chance % 4]),
        "stats": {
            "breed_id": 3 + chance % 10,
            "health": 100 + level * 60,
            "power": 10 + level * 11,
            "speed": 10 + level * 10,
        },
    }
    if chance & 0x300 == 0:
        body["is_favorite"] = True
    if chance & 0xC00 == 0:
        body["name"] = _KINDS[chance % len(_KINDS)]
    if chance & 0x7F000:
        body["creature_display"] = {"key": ask.static(f"media/creature-display/{10_000 + species * 7}")}
    return msgspec.json.encode(body | {"id": _MARK}).replace(b"%d" % _MARK, b"%d")


@lru_cache(maxsize=16)
def _mount_templates(region: str, locale: str) -> list[list[bytes]]:
    ask = Speech(region=region, locale=locale)
    return [[_mount(ask, mount, variant) for variant in range(_VARIANTS)] for mount in range(6, 6 + MOST_MOUNTS)]


def _mount(ask: Speech, mount: int, variant: int) -> bytes:
    body: Json = {"mount": ask.named("mount", mount, _name(mount, _LOOKS, _STEEDS))}
    if variant:
        body["is_useable"] = True
    if variant == 1:
        body["is_favorite"] = True
    if draw("mount", mount) % 97 == 0:
        body["is_character_specific"] = True
    return msgspec.json.encode(body)


def _name(number: int, firsts: list[str], seconds: list[str]) -> str:
    turn, place = divmod(number, len(firsts) * len(seconds))
    second, first = divmod(place, len(firsts))
    return f"{firsts[first]} {seconds[second]}" + (f" {turn + 1}" if turn else "")
