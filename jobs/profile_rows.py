"""Turn the five bodies of a profile into rows: the processing that follows the five requests. Pure."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from jobs import names
from jobs.models.profile import Equipment, EquippedItem, Keystones, Profession, Professions, Raids, Run, Specializations

Row: TypeAlias = dict[str, Any]

TANK, HEALER, DAMAGE = "tank", "healer", "damage"
# Specialization numbers never change; every other one deals damage.
_ROLES = dict.fromkeys((66, 73, 104, 250, 268, 581), TANK) | dict.fromkeys((65, 105, 256, 257, 264, 270, 1468), HEALER)
_COSMETIC_SLOTS = {"SHIRT", "TABARD"}
_TWO_HANDED = {"TWOHWEAPON", "RANGED", "RANGEDRIGHT"}
_ARMOR_SLOTS = 14
_DIFFICULTIES = {"LFR": "LFR", "NORMAL": "N", "HEROIC": "H", "MYTHIC": "M"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part with its own freshness. path: below the character's. columns: names, and their values of a body."""

    path: tuple[str, ...]
    model: type[Any]
    columns: tuple[str, ...]
    values: Callable[[Any, str], Row]


def part_row(part: Part, body: object | None, locale: str) -> Row:
    """Return the parameters of `profile_<part>`; body None = the API has none for this character."""
    values = dict.fromkeys(part.columns) if body is None else part.values(body, locale)
    return values | {"found": body is not None}


def role(spec_id: int) -> str:
    """Return what a specialization is for."""
    return _ROLES.get(spec_id, DAMAGE)


def item_level(items: list[EquippedItem]) -> float | None:
    """Return the mean item level over sixteen slots, None when nothing is worn.

    As the game counts: shirt and tabard do not matter, an empty slot counts as nothing, and a
    two-handed weapon fills both hands when the other one is empty.
    """
    levels = {
        each.slot.type: each.level.value for each in items if each.level and each.slot.type not in _COSMETIC_SLOTS
    }
    if not levels:
        return None
    if "MAIN_HAND" in levels and "OFF_HAND" not in levels and _holds_both_hands(items):
        levels["OFF_HAND"] = levels["MAIN_HAND"]
    return round(sum(levels.values()) / (_ARMOR_SLOTS + 2), 2)


def _holds_both_hands(items: list[EquippedItem]) -> bool:
    weapons = (each.inventory_type.type for each in items if each.slot.type == "MAIN_HAND" and each.inventory_type)
    return any(weapon in _TWO_HANDED for weapon in weapons)


def _equipment(body: Equipment, locale: str) -> Row:
    return {"item_level": item_level(body.equipped_items)}


def _specializations(body: Specializations, locale: str) -> Row:
    active = body.active_specialization
    return {"spec_id": active.id, "spec_role": role(active.id)} if active else {"spec_id": None, "spec_role": None}


def _keystones(body: Keystones, locale: str) -> Row:
    runs = body.current_period.best_runs or []
    own = body.character.id if body.character else 0
    roles = [_role_in(run, own) for run in runs]
    best = [
        {
            "dungeon": names.text(run.dungeon.name, locale),
            "level": run.keystone_level,
            "in_time": run.is_completed_within_time,
            "role": played,
        }
        for run, played in zip(runs, roles, strict=True)
    ]
    most = Counter(played for played in roles if played).most_common(1)
    rating = body.current_mythic_rating
    return {
        "rating": rating.rating if rating else None,
        "best_runs": _json(best),
        "played_role": most[0][0] if most else None,
    }


def _role_in(run: Run, character: int) -> str | None:
    specs = (each.specialization for each in run.members if each.character.id == character)
    return next((role(spec.id) for spec in specs if spec), None)


def _raids(body: Raids, locale: str) -> Row:
    instances = [each for expansion in body.expansions or [] for each in expansion.instances]
    raids = {
        each.instance.id: {
            "id": each.instance.id,
            "name": names.text(each.instance.name, locale),
            "modes": {
                mode.difficulty.type: [mode.progress.completed_count, mode.progress.total_count] for mode in each.modes
            },
        }
        for each in instances
    }
    newest = raids[max(raids)] if raids else None
    return {"raids": _json(list(raids.values())), "raid_progress": _progress(newest) if newest else None}


def _progress(raid: Row) -> str:
    """Return "Uldir 8/8 N 5/8 H"."""
    modes = [f"{done}/{total} {_DIFFICULTIES.get(mode, mode)}" for mode, (done, total) in raid["modes"].items()]
    return " ".join([raid["name"], *modes])


def _professions(body: Professions, locale: str) -> Row:
    known = [*(body.primaries or []), *(body.secondaries or [])]
    return {"professions": _json([_profession(each, locale) for each in known])}


def _profession(each: Profession, locale: str) -> Row:
    tiers = [
        {
            "id": tier.tier.id,
            "name": names.text(tier.tier.name, locale),
            "points": tier.skill_points,
            "max": tier.max_skill_points,
        }
        for tier in each.tiers or []
    ]
    if each.tiers is None and each.skill_points is not None:
        own = {"id": 0, "name": "", "points": each.skill_points, "max": each.max_skill_points}
        tiers = [own]
    return {"id": each.profession.id, "name": names.text(each.profession.name, locale), "tiers": tiers}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


PARTS = {
    "equipment": Part(("equipment",), Equipment, ("item_level",), _equipment),
    "specializations": Part(("specializations",), Specializations, ("spec_id", "spec_role"), _specializations),
    "keystones": Part(("mythic-keystone-profile",), Keystones, ("rating", "best_runs", "played_role"), _keystones),
    "raids": Part(("encounters", "raids"), Raids, ("raids", "raid_progress"), _raids),
    "professions": Part(("professions",), Professions, ("professions",), _professions),
}
