"""Leaderboards: mythic keystone (per connected realm, dungeon and period), PvP (per season and bracket), hall of fame.

Whoever stands on one exists in the world; the share of them that is no longer valid is that of the whole world.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from jobs.simulator.bodies.ask import Ask, Json, Page, page, self_link
from jobs.simulator.bodies.realms import group
from jobs.simulator.bodies.seasons import AFFIXES, BRACKETS, DUNGEONS, PVP_SEASON, period_bounds, period_now
from jobs.simulator.chance import Shuffle, draw
from jobs.simulator.packing import Packed, pack
from jobs.simulator.world.characters import Character
from jobs.simulator.world.clock import HOUR_S

RAIDS = (  # no index lists them, a client has to know them
    "uldir",
    "crucible-of-storms",
    "the-eternal-palace",
    "castle-nathria",
    "sepulcher-of-the-first-ones",
    "vault-of-the-incarnates",
    "amirdrassil-the-dreams-hope",
    "nerubar-palace",
    "liberation-of-undermine",
    "manaforge-omega",
)
_GROUP_SIZE = 5
_PVP_LENGTH = 10
_HALL_LENGTH = 100
_REGION_OF_FIRSTS = ("us", "eu", "kr", "tw")


def keystone_index(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/connected-realm/{id}/mythic-leaderboard/index."""
    if group(ask, which) is None:
        return None
    path = f"connected-realm/{which}/mythic-leaderboard"
    period = period_now(ask)
    boards = [
        {"key": ask.dynamic(f"{path}/{number}/period/{period}"), "name": ask.text(name), "id": number}
        for number, (name, _) in DUNGEONS.items()
    ]
    return page({"_links": self_link(ask.dynamic(f"{path}/")), "current_leaderboards": boards}, _hour(ask))


def keystone(ask: Ask, which: str, dungeon: str, period: str) -> Page | None:
    """GET /data/wow/connected-realm/{id}/mythic-leaderboard/{dungeon}/period/{period}: groups of five, best first."""
    realms = group(ask, which)
    if realms is None or not (dungeon.isdecimal() and period.isdecimal()) or int(dungeon) not in DUNGEONS:
        return None
    if not 0 < int(period) <= period_now(ask):
        return None
    return _remembered(
        ask, ("keystone", which, dungeon, period), lambda: _keystone(ask, which, int(dungeon), int(period))
    )


def _keystone(ask: Ask, which: str, dungeon: int, period: int) -> Json:
    name, map_id = DUNGEONS[dungeon]
    begins, ends = period_bounds(period)
    link = ask.dynamic(f"connected-realm/{which}/mythic-leaderboard/{dungeon}/period/{period}")
    length = ask.options.leaderboard
    everyone = list(_locals(ask, which, (dungeon, period), length * _GROUP_SIZE))
    groups = [
        {
            "ranking": rank + 1,
            "duration": 1_500_000 + rank * 1731,
            "completed_timestamp": int(begins * 1000) + draw(which, dungeon, period, rank) % 604_000_000,
            "keystone_level": max(2, 22 - rank * 20 // length),
            "members": [_runner(ask, member) for member in everyone[rank * _GROUP_SIZE : (rank + 1) * _GROUP_SIZE]],
            "mythic_rating": {"color": {"r": 255, "g": 128, "b": 0, "a": 1.0}, "rating": 480.5 - rank},
        }
        for rank in range(len(everyone) // _GROUP_SIZE)
    ]
    return {
        "_links": self_link(link),
        "map": {"name": ask.text(name), "id": map_id},
        "period": period,
        "period_start_timestamp": int(begins * 1000),
        "period_end_timestamp": int(ends * 1000) - 1000,
        "connected_realm": ask.dynamic(f"connected-realm/{which}"),
        "leading_groups": groups,
        "keystone_affixes": [
            {"keystone_affix": ask.named("keystone-affix", number, words), "starting_level": level}
            for number, words, level in AFFIXES
        ],
        "map_challenge_mode_id": dungeon,
        "name": ask.text(name),
    }


def pvp_index(ask: Ask, season: str) -> Page | None:
    """GET /data/wow/pvp-season/{id}/pvp-leaderboard/index."""
    if not _is_season(season):
        return None
    path = f"pvp-season/{season}"
    boards = [{"key": ask.dynamic(f"{path}/pvp-leaderboard/{bracket}"), "name": bracket} for bracket in BRACKETS]
    link = ask.dynamic(f"{path}/pvp-leaderboard/")
    return page({"_links": self_link(link), "season": _season(ask, season), "leaderboards": boards}, _hour(ask))


def pvp(ask: Ask, season: str, bracket: str) -> Page | None:
    """GET /data/wow/pvp-season/{id}/pvp-leaderboard/{bracket}: about 400 B an entry."""
    if not _is_season(season) or bracket not in BRACKETS:
        return None
    return _remembered(ask, ("pvp", season, bracket), lambda: _pvp(ask, season, bracket))


def _pvp(ask: Ask, season: str, bracket: str) -> Json:
    players = ask.world.some(ask.region, "pvp", season, bracket, count=ask.options.leaderboard * _PVP_LENGTH)
    number, kind = BRACKETS[bracket]
    return {
        "_links": self_link(ask.dynamic(f"pvp-season/{season}/pvp-leaderboard/{bracket}")),
        "season": _season(ask, season),
        "name": bracket,
        "bracket": {"id": number, "type": kind},
        "entries": [_entry(ask, player, rank) for rank, player in enumerate(players, 1)],
    }


def hall_of_fame(ask: Ask, raid: str, faction: str) -> Page | None:
    """GET /data/wow/leaderboard/hall-of-fame/{raid}/{faction}: guilds of all regions; names of realms are null."""
    if raid not in RAIDS or faction not in ("alliance", "horde"):
        return None
    chance = draw(ask.world.seed, raid, faction)
    entries: list[Json] = []
    for rank in range(1, _HALL_LENGTH + 1):
        region = _REGION_OF_FIRSTS[draw(chance, rank) % len(_REGION_OF_FIRSTS)]
        groups = ask.world.geographies[region].groups
        guilds = ask.world.guilds_of(groups[draw(chance, rank, "group") % len(groups)][0]).guilds
        guild = guilds[draw(chance, rank, "guild") % len(guilds)]
        realm = {"name": None, "id": guild.realm.id, "slug": guild.realm.slug}
        entries.append(
            {
                "guild": {"name": guild.name, "id": guild.id, "realm": realm},
                "faction": {"type": faction.upper()},
                "timestamp": 1_750_000_000_000 + rank * 7_200_000,
                "region": region,
                "rank": rank,
            }
        )
    body = {
        "_links": self_link(ask.dynamic(f"leaderboard/hall-of-fame/{raid}/{faction}")),
        "slug": f"{raid}-{faction}",
        "criteria_type": "hall-of-fame",
        "zone": {"key": ask.static(f"zone/{15_000 + RAIDS.index(raid)}"), "name": None},
        "entries": entries,
    }
    return page(body, _hour(ask))


def _remembered(ask: Ask, key: tuple[str, ...], make: Callable[[], Json]) -> Page:
    def packed() -> Packed:
        return pack(page(make()).rest[:-1])

    return Page(b"}", _hour(ask), ask.memory.get((*key, ask.region, ask.locale, ask.world.edits), packed))


def _locals(ask: Ask, which: str, why: tuple[int, int], count: int) -> Iterator[Character]:
    """Yield characters of one connected realm, other ones on each board."""
    realms = ask.world.geographies[ask.region].group_by_id[int(which)]
    shuffle = Shuffle(len(realms) * ask.world.per_realm, ask.world.seed, ask.region, which, *why)
    places = (divmod(shuffle.forward(place), ask.world.per_realm) for place in range(shuffle.size))
    return islice((ask.world.at(realms[realm], index) for realm, index in places), count)


def _runner(ask: Ask, member: Character) -> Json:
    spec = member.spec.id
    return {
        "profile": {"name": member.name, "id": member.id, "realm": ask.short_realm(member.realm)},
        "faction": {"type": member.faction},
        "specialization": {"key": ask.static(f"playable-specialization/{spec}"), "id": spec},
    }


def _entry(ask: Ask, player: Character, rank: int) -> Json:
    won, lost = 40 + player.id % 200, 20 + player.id % 90
    tier = 1 + player.id % 6
    return {
        "character": {"name": player.name, "id": player.id, "realm": ask.short_realm(player.realm)},
        "faction": {"type": player.faction},
        "rank": rank,
        "rating": max(1400, 3000 - rank // 2),
        "season_match_statistics": {"played": won + lost, "won": won, "lost": lost},
        "tier": {"key": ask.static(f"pvp-tier/{tier}"), "id": tier},
    }


def _season(ask: Ask, season: str) -> Json:
    return {"key": ask.dynamic(f"pvp-season/{season}"), "id": int(season)}


def _is_season(season: str) -> bool:
    return season.isdecimal() and 0 < int(season) <= PVP_SEASON


def _hour(ask: Ask) -> float:
    return ask.world.clock.now() // HOUR_S * HOUR_S
