"""Bodies in the recorded shapes, with only what a test cares about spelled out."""

from typing import Any

LOGIN_MS = 1_699_000_000_000


def status(id: int = 1, is_valid: bool = True) -> dict[str, Any]:
    return {"_links": {"self": {"href": ""}}, "id": id, "is_valid": is_valid}


def guild_ref(id: int = 77, name: str = "Avalerion", realm: str = "stormrage", slug: str = "") -> dict[str, Any]:
    href = f"https://eu.api.blizzard.com/data/wow/guild/{realm}/{slug or name.lower()}?namespace=profile-eu"
    return {"key": {"href": href}, "name": name, "id": id, "realm": {"name": "x", "id": 550, "slug": realm}}


def summary(id: int = 1, name: str = "Sheday", **changes: Any) -> dict[str, Any]:
    body = {
        "id": id,
        "name": name,
        "gender": {"type": "MALE", "name": "Male"},
        "faction": {"type": "ALLIANCE", "name": "Alliance"},
        "race": {"name": "Human", "id": 1},
        "character_class": {"name": "Paladin", "id": 2},
        "active_spec": {"name": "Retribution", "id": 70},
        "realm": {"name": "Stormrage", "id": 550, "slug": "stormrage"},
        "level": 80,
        "achievement_points": 100,
        "last_login_timestamp": LOGIN_MS,
        "average_item_level": 600,
        "equipped_item_level": 599,
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def pets(*ids: int) -> dict[str, Any]:
    pet = {"level": 25, "quality": {"type": "RARE"}, "stats": {"breed_id": 5}}
    return {"pets": [pet | {"id": id, "species": {"id": id % 100, "name": "x"}} for id in ids]}


def mounts(*ids: int) -> dict[str, Any]:
    return {"mounts": [{"mount": {"id": id, "name": "x"}, "is_useable": id % 2 == 0} for id in ids]}


def media() -> dict[str, Any]:
    keys = ("main-raw", "avatar", "inset")
    return {"assets": [{"key": key, "value": f"https://render/{key}.jpg"} for key in keys]}


def guild(id: int = 77, name: str = "Avalerion", member_count: int = 3, **changes: Any) -> dict[str, Any]:
    body = {
        "id": id,
        "name": name,
        "faction": {"type": "ALLIANCE", "name": "Alliance"},
        "achievement_points": 1815,
        "member_count": member_count,
        "realm": {"name": "Stormrage", "id": 550, "slug": "stormrage"},
        "created_timestamp": 1_425_412_701_000,
    }
    return body | changes


def member(id: int, name: str, rank: int, realm: str = "stormrage", level: int = 80) -> dict[str, Any]:
    character = {"name": name, "id": id, "realm": {"id": 550, "slug": realm}, "level": level}
    return {"character": character | {"playable_class": {"id": 2}, "playable_race": {"id": 1}}, "rank": rank}


def roster(*members: dict[str, Any]) -> dict[str, Any]:
    return {"guild": guild_ref(), "members": list(members)}


def item(slot: str, level: int, inventory_type: str = "") -> dict[str, Any]:
    worn = {"item": {"id": 1}, "slot": {"type": slot, "name": slot}, "level": {"value": level, "display_string": ""}}
    return worn | ({"inventory_type": {"type": inventory_type}} if inventory_type else {})


def run(level: int, spec_id: int, character: int = 1) -> dict[str, Any]:
    others = [{"character": {"id": 900 + n, "name": "x"}, "specialization": {"id": 70}} for n in range(4)]
    own = {"character": {"id": character, "name": "Sheday"}, "specialization": {"id": spec_id, "name": "x"}}
    dungeon = {"id": 244, "name": "Atal'Dazar"}
    return {"keystone_level": level, "is_completed_within_time": True, "dungeon": dungeon, "members": [*others, own]}


def keystones(*runs: dict[str, Any], rating: float | None = None) -> dict[str, Any]:
    period = {"period": {"id": 900}} | ({"best_runs": list(runs)} if runs else {})
    body: dict[str, Any] = {"current_period": period, "character": {"id": 1, "name": "Sheday"}}
    return body | ({"current_mythic_rating": {"rating": rating, "color": {}}} if rating is not None else {})


def raids(*instances: tuple[int, str, dict[str, tuple[int, int]]]) -> dict[str, Any]:
    def mode(name: str, progress: tuple[int, int]) -> dict[str, Any]:
        done, total = progress
        return {"difficulty": {"type": name}, "progress": {"completed_count": done, "total_count": total}}

    found = [
        {"instance": {"id": id, "name": name}, "modes": [mode(*each) for each in modes.items()]}
        for id, name, modes in instances
    ]
    return {"expansions": [{"expansion": {"id": 1, "name": "x"}, "instances": found}]}
