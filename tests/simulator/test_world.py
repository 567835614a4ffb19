"""The world is consistent: everybody who is named anywhere is there, and the parts agree."""

from unicodedata import normalize
from urllib.parse import quote

import pytest

from jobs.simulator.spelling import CYRILLIC, HANGUL, LATIN, Script
from jobs.simulator.world.characters import Character
from jobs.simulator.world.edits import EditError, apply
from jobs.simulator.world.world import World
from tests.simulator.worlds import OPTIONS, Reader, make_world
from tests.support.clock import FakeClock

EVERYBODY = OPTIONS.realms * OPTIONS.characters_per_realm


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def reader(world: World) -> Reader:
    return Reader(world)


@pytest.mark.parametrize("script", [LATIN, CYRILLIC, HANGUL])
def test_names_are_read_back_as_the_number_that_spelled_them(script: Script) -> None:
    numbers = [*range(0, script.room(0), 7), *range(script.room(0), script.room(1), 101)]
    numbers += range(script.room(1), script.room(2), script.room(2) // 500)
    names = [script.spell(number) for number in numbers]
    assert len(set(names)) == len(numbers)
    assert [script.read(name) for name in names] == numbers
    assert max(map(len, names)) <= 12
    assert [script.read(normalize("NFD", name).lower()) for name in names] == numbers


def test_same_seed_is_the_same_world_and_another_seed_another(world: World) -> None:
    again = make_world()
    assert [world.numbered("eu", n) for n in range(50)] == [again.numbered("eu", n) for n in range(50)]
    other = World(seed=2, realms=6, characters_per_realm=400, valid_share=0.75, clock=world.clock)
    assert other.numbered("eu", 3).name != world.numbered("eu", 3).name


def test_everybody_is_found_by_name_whatever_its_case(world: World) -> None:
    for number in range(0, EVERYBODY, 17):
        character = world.numbered("eu", number)
        assert world.find("eu", character.realm.slug, character.name.lower()) == character
    assert world.find("eu", "silvermoon", "nobodyofthisname") is None
    assert world.find("eu", "no-such-realm", "velia") is None


def test_names_are_unique_on_a_realm_and_some_are_accented_or_cyrillic() -> None:
    world = make_world(OPTIONS.__class__(realms=16, characters_per_realm=300))
    names = {realm.locale: [world.at(realm, n).name for n in range(300)] for realm in world.geographies["eu"].realms}
    assert all(len(set(realm)) == 300 for realm in names.values())
    assert any("я" in name for name in names["ruRU"])
    assert any(not name.isascii() for name in names["enGB"])


def test_valid_share_holds_and_the_lost_are_missing_or_invalid(world: World) -> None:
    states = [world.numbered("eu", number).state for number in range(EVERYBODY)]
    assert 0.72 < states.count("valid") / EVERYBODY < 0.78
    assert states.count("missing") > 200
    assert states.count("invalid") > 200


def test_roster_members_exist_and_name_their_guild(world: World, reader: Reader) -> None:
    for group in world.geographies["eu"].groups:
        guild = max(world.guilds_of(group[0]).guilds, key=lambda guild: guild.size)
        path = f"/data/wow/guild/{quote(guild.realm.slug)}/{quote(guild.slug)}"
        members = reader.json(f"{path}/roster")["members"]
        assert reader.json(path)["member_count"] == len(members) == guild.size
        assert sum(member["rank"] == 0 for member in members) == 1
        for member in members:
            character = world.find("eu", member["character"]["realm"]["slug"], member["character"]["name"])
            assert character is not None
            assert (character.id, character.guild) == (member["character"]["id"], guild)


def test_guilds_are_on_another_realm_than_some_of_their_members_and_some_have_none(world: World) -> None:
    everybody = [world.numbered("eu", number) for number in range(EVERYBODY)]
    guildless = sum(character.guild is None for character in everybody)
    assert 0.2 < guildless / EVERYBODY < 0.35
    assert any(character.guild and character.guild.realm != character.realm for character in everybody)
    assert all(character.guild is None or character.faction == character.guild.faction for character in everybody)


def test_leaderboards_name_characters_that_exist(world: World, reader: Reader) -> None:
    entries = reader.json("/data/wow/pvp-season/40/pvp-leaderboard/3v3")["entries"]
    assert len(entries) == OPTIONS.leaderboard * 10
    for entry in entries:
        named = entry["character"]
        character = world.find("eu", named["realm"]["slug"], named["name"])
        assert character is not None
        assert character.id == named["id"]


def test_keystone_leaderboard_follows_its_index_and_its_members_exist(world: World, reader: Reader) -> None:
    index = reader.json("/data/wow/connected-realm/500/mythic-leaderboard/index")
    href = index["current_leaderboards"][2]["key"]["href"]
    board = reader.json(href.partition(".com")[2].partition("?")[0])
    assert len(board["leading_groups"]) == OPTIONS.leaderboard
    for member in board["leading_groups"][-1]["members"]:
        profile = member["profile"]
        assert world.find("eu", profile["realm"]["slug"], profile["name"]) is not None


def test_hall_of_fame_names_guilds_that_exist(world: World, reader: Reader) -> None:
    for entry in reader.json("/data/wow/leaderboard/hall-of-fame/uldir/horde")["entries"]:
        guild = next(
            guild
            for group in world.geographies[entry["region"]].groups
            for guild in world.guilds_of(group[0]).guilds
            if guild.id == entry["guild"]["id"]
        )
        assert (guild.name, guild.realm.slug) == (entry["guild"]["name"], entry["guild"]["realm"]["slug"])


def test_alts_share_pets_and_mounts_and_strangers_do_not(world: World, reader: Reader) -> None:
    lists: dict[int, set[str]] = {}
    for number in range(0, EVERYBODY, 60):
        alts = [alt for alt in world.alts(world.numbered("eu", number)) if alt.state == "valid"]
        assert number in [alt.number for alt in world.alts(world.numbered("eu", number))]
        for alt in alts[:3]:
            path = f"/profile/wow/character/{quote(alt.realm.slug)}/{quote(alt.name.lower())}/collections"
            pets = reader.raw(f"{path}/pets").partition(b',"_links"')[0]
            lists.setdefault(alt.account, set()).add(pets.decode())
    assert all(len(bodies) == 1 for bodies in lists.values())
    petted = [body for (body,) in lists.values() if '"pets":[]' not in body]
    assert len(set(petted)) == len(petted)


def test_summary_follows_logins_by_the_worlds_clock() -> None:
    clock = FakeClock()
    world = make_world(clock=clock)
    before = world.numbered("eu", 5).last_login
    clock.set(clock.monotonic() + 100 * 86_400)
    after = world.numbered("eu", 5).last_login
    assert before < after <= world.clock.now()


def test_edits_rename_log_in_and_hide_characters() -> None:
    world = make_world()
    first, second = some_valid(world, 2)
    edits = {"rename": {first.entity: "Umbenannt"}, "log_in": [second.entity], "opt_out": [], "advance_s": 60}
    assert apply(world, edits) == 3
    renamed = world.find("eu", first.realm.slug, "UMBENANNT")
    assert renamed is not None
    assert renamed.id == first.id
    assert world.find("eu", first.realm.slug, first.name) is None
    apply(world, {"opt_out": [renamed.entity], "invalidate": [second.entity], "new_id": [second.entity]})
    reader = Reader(world)
    assert reader.page(f"/profile/wow/character/{quote(first.realm.slug)}/umbenannt/status") is None
    path = f"/profile/wow/character/{quote(second.realm.slug)}/{quote(second.name.lower())}"
    status = reader.json(f"{path}/status")
    assert (status["is_valid"], status["id"]) == (False, second.id + 500_000_000)
    assert reader.page(path) is None
    with pytest.raises(EditError):
        apply(world, {"opt_out": ["eu/silvermoon/nobodyofthisname"]})


def test_member_who_leaves_is_no_longer_on_the_roster() -> None:
    world = make_world()
    member = next(character for character in some_valid(world, 50) if character.guild)
    guild = member.guild
    assert guild is not None
    apply(world, {"leave_guild": [member.entity]})
    assert member.id not in {other.id for other in world.members(guild)}
    found = world.find("eu", member.realm.slug, member.name)
    assert found is not None
    assert found.guild is None


def some_valid(world: World, count: int) -> list[Character]:
    everybody = (world.numbered("eu", number) for number in range(400))
    return [character for character in everybody if character.state == "valid"][:count]
