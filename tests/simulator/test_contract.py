"""The simulator's bodies against the recorded ones, field by field."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import pytest

from jobs.simulator.refusals import refusal
from jobs.simulator.world.characters import Character
from jobs.simulator.world.guilds import Guild
from tests.simulator.contract import ABSENT, NEWER, is_listed
from tests.simulator.shapes import Shape, shape_of
from tests.simulator.worlds import Reader, make_world
from tests.support.recordings import folder, needs_recordings, recording, recording_bytes

pytestmark = needs_recordings
WORLD = make_world()
READER = Reader(WORLD)
ALL_LOCALES = Reader(WORLD, locale="")
CHARACTERS = [character for character in (WORLD.numbered("eu", n) for n in range(120)) if character.state == "valid"]
GUILDS = [guild for group in WORLD.geographies["eu"].groups for guild in WORLD.guilds_of(group[0]).guilds]
ITEMS = [number for number in range(1, 500) if WORLD.has_item(number)]
KEYSTONE = "mythic-keystone-leaderboard/eu_connected-realm_509_mythic-leaderboard_244_period_682_2019-12-22.json"
HALL = "mythic-raid-leaderboard/eu_leaderboard_hall-of-fame_uldir_alliance_2019-12-22.json"


def path_of(character: Character, part: str = "") -> str:
    return f"/profile/wow/character/{quote(character.realm.slug)}/{quote(character.name.lower())}{part}"


def guild_path(guild: Guild, part: str = "") -> str:
    return f"/data/wow/guild/{quote(guild.realm.slug)}/{quote(guild.slug)}{part}"


def characters(part: str, reader: Reader = READER, most: int = 30) -> Callable[[], list[Any]]:
    return lambda: [reader.json(path_of(character, part)) for character in CHARACTERS[:most]]


def guilds(part: str = "") -> Callable[[], list[Any]]:
    return lambda: [READER.json(guild_path(guild, part)) for guild in GUILDS]


def pages(*paths: str, reader: Reader = READER) -> Callable[[], list[Any]]:
    return lambda: [reader.json(f"/data/wow/{path}") for path in paths]


def items(path: str, reader: Reader = READER) -> Callable[[], list[Any]]:
    return pages(*(f"{path}/{number}" for number in ITEMS), reader=reader)


def keystone() -> list[Any]:
    index = READER.json("/data/wow/connected-realm/500/mythic-leaderboard/index")
    href: str = index["current_leaderboards"][0]["key"]["href"]
    return [READER.json(href.partition(".com")[2].partition("?")[0])]


def recorded(*names: str) -> Callable[[], list[Any]]:
    return lambda: [recording(name) for name in names]


def many(*names: str) -> Callable[[], list[Any]]:
    return lambda: [body for name in names for body in recording(name)]


def of_all_locales() -> list[Any]:
    found = folder()
    assert found is not None
    return [recording(f"item/{file.name}") for file in found.glob("item/us_*_multilocale_*.json")]


CASES: dict[str, tuple[Callable[[], list[Any]], Callable[[], list[Any]]]] = {
    "character-status": (characters("/status"), recorded("character-status/eu_*.json")),
    "character-summary": (characters("", most=120), recorded("character-summary/eu_*.json")),
    "character-media": (
        characters("/character-media"),
        recorded("character-media/eu_*.json"),
    ),
    "character-pets": (characters("/collections/pets", most=12), recorded("character-pets/eu_*.json")),
    "character-mounts": (
        characters("/collections/mounts"),
        recorded("character-mounts/eu_*.json"),
    ),
    "character-mounts of all locales": (
        characters("/collections/mounts", ALL_LOCALES, most=10),
        recorded("character-mounts/us_*.json"),
    ),
    "character-professions": (
        characters("/professions"),
        recorded("character-professions/eu_*.json"),
    ),
    "guild-summary": (guilds(), recorded("guild-summary/eu_*.json")),
    "guild-roster": (guilds("/roster"), recorded("guild-roster/eu_*.json")),
    "item": (items("item"), many("item/eu_bulk_10.0.5_part1.json", "item/eu_bulk_10.0.5_part2.json")),
    "item of all locales": (items("item", ALL_LOCALES), of_all_locales),
    "item-media": (items("media/item"), recorded("item-media/eu_19019_2019-12-22.json")),
    "realm": (pages("realm/silvermoon"), recorded("realm/eu_500_2019-12-22.json")),
    "realm-index": (pages("realm/index"), recorded("realm-index/eu_index_2019-12-22.json")),
    "connected-realm": (pages("connected-realm/500"), recorded("connected-realm/eu_509_2019-12-22.json")),
    "connected-realm-index": (
        pages("connected-realm/index"),
        recorded("connected-realm-index/eu_index_2019-12-22.json"),
    ),
    "wow-token": (pages("token/index"), recorded("wow-token-index/eu_index_2019-12-22.json")),
    "auctions": (
        pages("connected-realm/500/auctions"),
        recorded(
            "connected-realm-auctions/us_11_sample.json",
            "connected-realm-auctions/us_classic_4384_ah2_full_2022-06.json",
        ),
    ),
    "commodities": (
        pages("auctions/commodities"),
        recorded("connected-realm-auctions/us_9_sample_precommodity.json"),
    ),
    "mythic-leaderboard": (keystone, recorded(f"_lists/{KEYSTONE}")),
    "pvp-leaderboard": (
        pages("pvp-season/40/pvp-leaderboard/2v2"),
        recorded("_lists/pvp-leaderboard/eu_pvp-season_27_pvp-leaderboard_2v2_2019-12-22.json"),
    ),
    "hall-of-fame": (pages("leaderboard/hall-of-fame/uldir/alliance"), recorded(f"_lists/{HALL}")),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, Shape, Shape]:
    simulated, real = CASES[request.param]
    return request.param, shape_of(*simulated()), shape_of(*real())


def test_each_simulated_field_is_recorded_or_listed_as_newer(case: tuple[str, Shape, Shape]) -> None:
    name, simulated, real = case
    unknown = unlisted(simulated.keys() - real.keys(), NEWER.get(name, {}))
    assert unknown == []


def test_each_recorded_field_is_simulated_or_listed_as_absent(case: tuple[str, Shape, Shape]) -> None:
    name, simulated, real = case
    missing = unlisted(real.keys() - simulated.keys(), ABSENT.get(name, {}))
    assert missing == []


def test_fields_have_the_recorded_types(case: tuple[str, Shape, Shape]) -> None:
    _, simulated, real = case
    allowed = {path: types | wider(path, types) for path, types in real.items()}
    wrong = {path: types for path, types in simulated.items() if path in real and not types <= allowed[path]}
    assert wrong == {}


def test_lists_of_differences_name_only_what_differs(case: tuple[str, Shape, Shape]) -> None:
    name, simulated, real = case
    assert [path for path in NEWER.get(name, {}) if path in real or path not in simulated] == []
    assert [path for path in ABSENT.get(name, {}) if path in simulated] == []


def test_missing_resources_have_the_recorded_body() -> None:
    assert READER.page("/profile/wow/character/silvermoon/nobodyofthisname") is None
    for name in ("errors/eu_character-summary_404_*.json", "errors/eu_guild-summary_404_*.json"):
        assert refusal(404).body == recording_bytes(name)


def test_invalid_credentials_and_namespaces_have_the_bodies_that_clients_quote() -> None:
    assert refusal(401).body == recording_bytes("errors/shape_401.json")
    assert refusal(403).body == recording_bytes("errors/shape_403_missing_namespace.json")


def test_no_recorded_name_is_used() -> None:
    roster = recording("guild-roster/eu_*.json")
    names = {member["character"]["name"].lower() for member in roster["members"]}
    assert not names & {WORLD.numbered("eu", number).name.lower() for number in range(2400)}
    assert roster["guild"]["name"] not in {guild.name for guild in GUILDS}


def unlisted(paths: Iterable[str], listed: dict[str, str]) -> list[str]:
    return sorted(path for path in paths if not is_listed(path, listed))


def wider(path: str, types: set[str]) -> set[str]:
    """Alpha is 1.0 as sent; the bodies of 12.0.7 were written again by their collector, as 1."""
    return {"number"} if path.endswith(".color.a") and "integer" in types else set()
