"""A guild and its roster."""

from jobs.simulator.bodies.ask import Ask, Json, Page, guild_path, page, self_link
from jobs.simulator.chance import draw
from jobs.simulator.world.characters import Character
from jobs.simulator.world.guilds import Guild
from jobs.simulator.world.people import FACTION_NAMES

REFRESH_S = 3 * 3600  # guild data changes "at a regular interval" (portal, namespaces guide); recorded max-age 10800
_OLDEST_MS, _NEWEST_MS = 1_226_000_000_000, 1_760_000_000_000


def summary(ask: Ask, realm: str, name: str) -> Page | None:
    """GET /data/wow/guild/{realm}/{name}."""
    guild = ask.world.guild(ask.region, realm, name.lower())
    if guild is None:
        return None
    chance = draw(ask.world.seed, "guild", guild.id)
    path = guild_path(guild)
    body = {
        "_links": self_link(ask.profile(path)),
        "id": guild.id,
        "name": guild.name,
        "faction": ask.typed(guild.faction, FACTION_NAMES[guild.faction]),
        "achievement_points": chance % 4000,
        "member_count": len(ask.world.members(guild)),
        "realm": ask.realm(guild.realm),
        "crest": _crest(ask, chance),
        "roster": ask.profile(f"{path}/roster"),
        "achievements": ask.profile(f"{path}/achievements"),
        "created_timestamp": _OLDEST_MS + chance % (_NEWEST_MS - _OLDEST_MS) // 1000 * 1000,
        "activity": ask.profile(f"{path}/activity"),
        "name_search": guild.name.lower(),
    }
    return page(body, _modified(ask, guild))


def roster(ask: Ask, realm: str, name: str) -> Page | None:
    """GET /data/wow/guild/{realm}/{name}/roster: the members, in no order that means anything.

    Recorded rosters name no member's key or faction, today's do; half of the guilds are of each sort.
    """
    guild = ask.world.guild(ask.region, realm, name.lower())
    if guild is None:
        return None
    members = sorted(ask.world.members(guild), key=lambda member: member.id % 1009)
    modern = bool(guild.number & 1)
    faction = {"faction": ask.typed(guild.faction, FACTION_NAMES[guild.faction])} if modern else {}
    body = {
        "_links": self_link(ask.profile(f"{guild_path(guild)}/roster")),
        "guild": ask.guild(guild) | faction,
        "members": [{"character": _member(ask, member, modern), "rank": member.rank} for member in members],
    }
    return page(body, _modified(ask, guild))


def _member(ask: Ask, member: Character, modern: bool) -> Json:
    body: Json = {
        "name": member.name,
        "id": member.id,
        "realm": ask.short_realm(member.realm),
        "level": member.level,
        "playable_class": {"key": ask.static(f"playable-class/{member.class_id}"), "id": member.class_id},
        "playable_race": {"key": ask.static(f"playable-race/{member.race}"), "id": member.race},
    }
    if modern:
        body["key"] = ask.character_link(member)
        body["faction"] = {"type": member.faction}
    return body


def _crest(ask: Ask, chance: int) -> Json:
    def part(kind: str, number: int) -> Json:
        media = {"key": ask.static(f"media/guild-crest/{kind}/{number}"), "id": number}
        return {"id": number, "media": media, "color": _color(chance >> 4)}

    return {
        "emblem": part("emblem", chance % 195),
        "border": part("border", chance % 6),
        "background": {"color": _color(chance >> 9)},
    }


def _color(chance: int) -> Json:
    shade = {"r": chance % 256, "g": (chance >> 8) % 256, "b": (chance >> 16) % 256, "a": 1.0}
    return {"id": chance % 50, "rgba": shade}


def _modified(ask: Ask, guild: Guild) -> float:
    phase = guild.id % REFRESH_S
    return (ask.world.clock.now() - phase) // REFRESH_S * REFRESH_S + phase
