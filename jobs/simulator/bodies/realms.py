"""Realms, connected realms and the token price."""

from jobs.simulator.bodies.ask import Ask, Json, Page, page, self_link
from jobs.simulator.chance import draw
from jobs.simulator.world.clock import HOUR_S
from jobs.simulator.world.geography import CATEGORIES, REGION_NAMES, REGIONS, TIMEZONES, Realm

_POPULATIONS = (("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High"), ("FULL", "Full"))
_TYPES = (("NORMAL", "Normal"), ("RP", "Roleplaying"))
_WEEK_S = 7 * 24 * HOUR_S


def realm_index(ask: Ask) -> Page:
    """GET /data/wow/realm/index."""
    realms = [ask.realm(realm) for realm in ask.world.geographies[ask.region].realms]
    body = {"_links": self_link(ask.dynamic("realm/")), "realms": realms}
    return page(body, _week(ask))


def realm(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/realm/{slug or id}."""
    geography = ask.world.geographies[ask.region]
    found = geography.by_id.get(int(which)) if which.isdecimal() else geography.by_slug.get(which)
    if found is None:
        return None
    return page({"_links": self_link(ask.dynamic(f"realm/{found.id}")), **_realm(ask, found)}, _week(ask))


def connected_realm_index(ask: Ask) -> Page:
    """GET /data/wow/connected-realm/index: links only."""
    groups = ask.world.geographies[ask.region].groups
    links = [ask.dynamic(f"connected-realm/{group[0].group_id}") for group in groups]
    return page({"_links": self_link(ask.dynamic("connected-realm/")), "connected_realms": links}, _week(ask))


def connected_realm(ask: Ask, which: str) -> Page | None:
    """GET /data/wow/connected-realm/{id}."""
    realms = group(ask, which)
    if realms is None:
        return None
    path = f"connected-realm/{which}"
    body = {
        "_links": self_link(ask.dynamic(path)),
        "id": int(which),
        "has_queue": False,
        "status": ask.typed("UP", "Up"),
        "population": ask.typed(*_POPULATIONS[draw(ask.world.seed, "population", which) % len(_POPULATIONS)]),
        "realms": [_realm(ask, realm) for realm in realms],
        "mythic_leaderboards": ask.dynamic(f"{path}/mythic-leaderboard/"),
        "auctions": ask.dynamic(f"{path}/auctions"),
    }
    return page(body, ask.world.clock.now() // 30 * 30)


def token(ask: Ask) -> Page:
    """GET /data/wow/token/index: the price in copper, another one every 20 minutes."""
    changed_at = ask.world.clock.now() // 1200 * 1200
    price = 200_000_0000 + draw(ask.world.seed, ask.region, "token", changed_at) % 80_000 * 10_000
    body: Json = {
        "_links": self_link(ask.dynamic("token/")),
        "last_updated_timestamp": int(changed_at) * 1000,
        "price": price,
    }
    return page(body, changed_at)


def group(ask: Ask, which: str) -> list[Realm] | None:
    """Return the realms of a connected realm's id as it stands in a path."""
    return ask.world.geographies[ask.region].group_by_id.get(int(which)) if which.isdecimal() else None


def _realm(ask: Ask, realm: Realm) -> Json:
    region = {
        "key": ask.dynamic(f"region/{REGIONS[ask.region]}"),
        "name": ask.text(REGION_NAMES[ask.region]),
        "id": REGIONS[ask.region],
    }
    return {
        "id": realm.id,
        "region": region,
        "connected_realm": ask.dynamic(f"connected-realm/{realm.group_id}"),
        "name": ask.text(realm.name),
        "category": ask.text(CATEGORIES[realm.locale]),
        "locale": realm.locale,
        "timezone": TIMEZONES[ask.region],
        "type": ask.typed(*_TYPES[draw(realm.slug, "type") % 7 == 0]),
        "is_tournament": False,
        "slug": realm.slug,
    }


def _week(ask: Ask) -> float:
    return ask.world.clock.now() // _WEEK_S * _WEEK_S
