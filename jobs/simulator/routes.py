"""Paths and what answers them. Names of endpoints are what statistics and faults speak of.

schema, revision and max_age are headers of the recorded answers of 2019-2020; None where nothing was recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from jobs.simulator.bodies import (
    auctions,
    character,
    collection,
    equipment,
    guild,
    items,
    leaderboards,
    progress,
    realms,
    seasons,
    talents,
)
from jobs.simulator.bodies.ask import Page

TOKEN = "oauth-token"
UNKNOWN = "unknown"
_CHARACTER = "/profile/wow/character/{}/{}"
_DATA = "/data/wow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One kind of request. heavy: its body is made in the rendering thread, not in the loop."""

    name: str
    path: str
    namespace: str = "dynamic"
    render: Callable[..., Page | None]
    schema: str | None = None
    revision: int = 1
    max_age: int | None = None
    heavy: bool = False
    lines: dict[str, list[bytes]] = field(default_factory=dict)


def _profile(name: str, path: str, render: Callable[..., Page | None], **more: Any) -> Endpoint:
    return Endpoint(name=name, path=path, namespace="profile", render=render, **more)


def _static(name: str, path: str, render: Callable[..., Page | None], **more: Any) -> Endpoint:
    return Endpoint(name=name, path=_DATA + path, namespace="static", render=render, max_age=86_400, **more)


def _dynamic(name: str, path: str, render: Callable[..., Page | None], **more: Any) -> Endpoint:
    return Endpoint(name=name, path=_DATA + path, render=render, **more)


ENDPOINTS = (
    _profile("character-status", f"{_CHARACTER}/status", character.status, schema="character-status"),
    _profile("character-summary", _CHARACTER, character.summary, schema="character", revision=18),
    _profile("character-media", f"{_CHARACTER}/character-media", character.media, schema="character-media", revision=4),
    _profile("character-pets", f"{_CHARACTER}/collections/pets", collection.pets, schema="collection-pets", revision=5),
    _profile(
        "character-mounts",
        f"{_CHARACTER}/collections/mounts",
        collection.mounts,
        schema="collection-mounts",
        revision=4,
    ),
    _profile(
        "character-professions", f"{_CHARACTER}/professions", progress.professions, schema="character-professions"
    ),
    _profile("character-equipment", f"{_CHARACTER}/equipment", equipment.equipment),
    _profile("character-specializations", f"{_CHARACTER}/specializations", talents.specializations),
    _profile("character-mythic-keystone-profile", f"{_CHARACTER}/mythic-keystone-profile", progress.keystone_profile),
    _profile("character-raids", f"{_CHARACTER}/encounters/raids", progress.raids),
    _profile("guild-summary", f"{_DATA}/guild/{{}}/{{}}", guild.summary, schema="guild", revision=8, max_age=10_800),
    _profile(
        "guild-roster",
        f"{_DATA}/guild/{{}}/{{}}/roster",
        guild.roster,
        schema="guild-roster",
        revision=7,
        max_age=10_800,
    ),
    _static("item", "/item/{}", items.item, schema="item"),
    _static("item-media", "/media/item/{}", items.item_media, schema="media"),
    _dynamic("realm-index", "/realm/index", realms.realm_index, schema="realm", revision=7, max_age=86_400),
    _dynamic("realm", "/realm/{}", realms.realm, schema="realm", revision=7, max_age=86_400),
    _dynamic(
        "connected-realm-index",
        "/connected-realm/index",
        realms.connected_realm_index,
        schema="connected-realm",
        revision=5,
        max_age=86_400,
    ),
    _dynamic(
        "connected-realm",
        "/connected-realm/{}",
        realms.connected_realm,
        schema="connected-realm",
        revision=5,
        max_age=30,
    ),
    _dynamic("auctions", "/connected-realm/{}/auctions", auctions.connected_realm, heavy=True),
    _dynamic("commodities", "/auctions/commodities", auctions.commodities, heavy=True),
    _dynamic("wow-token", "/token/index", realms.token, schema="token", revision=2, max_age=300),
    _dynamic("mythic-leaderboard-index", "/connected-realm/{}/mythic-leaderboard/index", leaderboards.keystone_index),
    _dynamic(
        "mythic-leaderboard",
        "/connected-realm/{}/mythic-leaderboard/{}/period/{}",
        leaderboards.keystone,
        schema="mythic-leaderboard",
        revision=5,
        max_age=1800,
        heavy=True,
    ),
    _dynamic("mythic-keystone-index", "/mythic-keystone/index", seasons.keystones),
    _dynamic("mythic-dungeon-index", "/mythic-keystone/dungeon/index", seasons.dungeons),
    _dynamic("mythic-period-index", "/mythic-keystone/period/index", seasons.periods),
    _dynamic("mythic-period", "/mythic-keystone/period/{}", seasons.period),
    _dynamic("mythic-season-index", "/mythic-keystone/season/index", seasons.keystone_seasons),
    _dynamic("mythic-season", "/mythic-keystone/season/{}", seasons.keystone_season),
    _dynamic("pvp-season-index", "/pvp-season/index", seasons.pvp_seasons),
    _dynamic("pvp-season", "/pvp-season/{}", seasons.pvp_season),
    _dynamic("pvp-leaderboard-index", "/pvp-season/{}/pvp-leaderboard/index", leaderboards.pvp_index),
    _dynamic(
        "pvp-leaderboard",
        "/pvp-season/{}/pvp-leaderboard/{}",
        leaderboards.pvp,
        schema="pvp-leaderboard",
        revision=8,
        max_age=600,
        heavy=True,
    ),
    _dynamic("hall-of-fame", "/leaderboard/hall-of-fame/{}/{}", leaderboards.hall_of_fame, schema="leaderboard"),
)


class Routes:
    """Finds the endpoint of a path by walking it; a fixed word goes before a part that may be anything."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}
        for endpoint in ENDPOINTS:
            node = self._root
            for word in endpoint.path.strip("/").split("/"):
                node = node.setdefault(word, {})
            node[""] = endpoint

    def find(self, path: str) -> tuple[Endpoint | None, list[str]]:
        """Return the endpoint and the decoded parts of a path; (None, []) when nothing answers it."""
        node, parts = self._root, []
        for word in path[1:].split("/"):
            below = node.get(word)
            if below is None:
                below = node.get("{}")
                parts.append(unquote(word) if "%" in word else word)
            if below is None or not word:
                return None, []
            node = below
        endpoint: Endpoint | None = node.get("")
        return endpoint, parts if endpoint else []
