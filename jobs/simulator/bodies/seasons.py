"""Seasons, periods, dungeons and brackets: the indexes that lead to the leaderboards."""

from jobs.simulator.bodies.ask import Ask, Page, page, self_link

PVP_SEASON, KEYSTONE_SEASON = 40, 15
DUNGEONS = {
    501: ("The Drowned Gallery", 2651),
    502: ("Lanternfall", 2652),
    503: ("Cinder Weir", 2653),
    504: ("Hall of Small Hours", 2654),
    505: ("Bramble Keep", 2655),
    506: ("The Long Stair", 2656),
    507: ("Gull's Rest", 2657),
    508: ("Tallow Works", 2658),
}
AFFIXES = ((9, "Tyrannical", 2), (10, "Fortified", 2), (147, "Xal'atath's Guile", 12))
BRACKETS = {
    "2v2": (0, "ARENA_2v2"),
    "3v3": (1, "ARENA_3v3"),
    "rbg": (3, "BATTLEGROUNDS"),
    "shuffle-overall": (7, "SHUFFLE"),
    "blitz-overall": (9, "BLITZ"),
}
_WEEK_S = 604_800
_RECORDED_PERIOD, _RECORDED_AT = 682, 1_548_226_800


def period_now(ask: Ask) -> int:
    """Return the number of the current weekly period."""
    return _RECORDED_PERIOD + int((ask.world.clock.now() - _RECORDED_AT) // _WEEK_S)


def period_bounds(period: int) -> tuple[float, float]:
    """Return begin and end of a period, seconds since 1970 (EU periods, recorded: 682 began 2019-01-23 07:00 UTC)."""
    begins = _RECORDED_AT + (period - _RECORDED_PERIOD) * _WEEK_S
    return float(begins), float(begins + _WEEK_S)


def pvp_seasons(ask: Ask) -> Page:
    """GET /data/wow/pvp-season/index."""
    seasons = [{"key": ask.dynamic(f"pvp-season/{number}"), "id": number} for number in range(33, PVP_SEASON + 1)]
    return page({"_links": self_link(ask.dynamic("pvp-season/")), "seasons": seasons, "current_season": seasons[-1]})


def pvp_season(ask: Ask, season: str) -> Page | None:
    """GET /data/wow/pvp-season/{id}."""
    if not season.isdecimal() or not 0 < int(season) <= PVP_SEASON:
        return None
    path = f"pvp-season/{season}"
    body = {
        "_links": self_link(ask.dynamic(path)),
        "id": int(season),
        "leaderboards": ask.dynamic(f"{path}/pvp-leaderboard/"),
        "rewards": ask.dynamic(f"{path}/pvp-reward/"),
        "season_start_timestamp": 1_600_000_000_000 + int(season) * 10_000_000_000 // 40,
        "season_name": None,
    }
    return page(body)


def keystones(ask: Ask) -> Page:
    """GET /data/wow/mythic-keystone/index."""
    body = {
        "_links": self_link(ask.dynamic("mythic-keystone/")),
        "seasons": ask.dynamic("mythic-keystone/season/"),
        "dungeons": ask.dynamic("mythic-keystone/dungeon/"),
    }
    return page(body)


def dungeons(ask: Ask) -> Page:
    """GET /data/wow/mythic-keystone/dungeon/index."""
    listed = [
        {"key": ask.dynamic(f"mythic-keystone/dungeon/{number}"), "name": ask.text(name), "id": number}
        for number, (name, _) in DUNGEONS.items()
    ]
    return page({"_links": self_link(ask.dynamic("mythic-keystone/dungeon/")), "dungeons": listed})


def periods(ask: Ask) -> Page:
    """GET /data/wow/mythic-keystone/period/index."""
    listed = [_period(ask, number) for number in range(641, period_now(ask) + 1)]
    link = ask.dynamic("mythic-keystone/period/")
    return page({"_links": self_link(link), "periods": listed, "current_period": listed[-1]})


def period(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/mythic-keystone/period/{id}."""
    if not which.isdecimal() or not 0 < int(which) <= period_now(ask):
        return None
    begins, ends = period_bounds(int(which))
    body = {
        "_links": self_link(ask.dynamic(f"mythic-keystone/period/{which}")),
        "id": int(which),
        "start_timestamp": int(begins * 1000),
        "end_timestamp": int(ends * 1000) - 1000,
    }
    return page(body)


def keystone_seasons(ask: Ask) -> Page:
    """GET /data/wow/mythic-keystone/season/index."""
    listed = [_keystone_season(ask, number) for number in range(1, KEYSTONE_SEASON + 1)]
    link = ask.dynamic("mythic-keystone/season/")
    return page({"_links": self_link(link), "seasons": listed, "current_season": listed[-1]})


def keystone_season(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/mythic-keystone/season/{id}: the last ten weeks belong to the current one."""
    if not which.isdecimal() or not 0 < int(which) <= KEYSTONE_SEASON:
        return None
    last = period_now(ask) - (KEYSTONE_SEASON - int(which)) * 20
    listed = [_period(ask, number) for number in range(last - 9, last + 1)]
    body = {
        "_links": self_link(ask.dynamic(f"mythic-keystone/season/{which}")),
        "id": int(which),
        "start_timestamp": int(period_bounds(last - 9)[0] * 1000),
        "periods": listed,
    }
    return page(body)


def _period(ask: Ask, number: int) -> dict[str, object]:
    return {"key": ask.dynamic(f"mythic-keystone/period/{number}"), "id": number}


def _keystone_season(ask: Ask, number: int) -> dict[str, object]:
    return {"key": ask.dynamic(f"mythic-keystone/season/{number}"), "id": number}
