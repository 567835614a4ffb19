"""Changes become history once; a new name is the same character."""

from typing import Any

import pytest

from jobs import characters
from supervisor.worker.sdk import Gone, Outcome
from tests.jobs import bodies
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, missing, ok
from tests.support.clock import FakeClock

DAY_S = 86_400.0
PARTS = {
    "/collections/pets": ok(bodies.pets(11, 12)),
    "/collections/mounts": ok(bodies.mounts(*range(30))),
    "/character-media": ok(bodies.media()),
}


class Realm:
    """Characters by entity: a summary's body, or None for one that the API denies."""

    def __init__(self, database: Harness, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.people: dict[str, dict[str, Any] | None] = {}

    async def scan(self, entity: str, *, twice: bool = False) -> Outcome:
        """Run a job with max_age 0, a day after the last one. twice: apply its finish a second time."""
        await self.clock.advance(DAY_S)
        self.database.now = self.clock.wall()
        claimed = self.database.claim("characters", entity, max_age_s=0)
        outcome = await characters.run(claimed, FakeWork(ScriptedApi(self.script(entity)), self.clock))
        for _ in range(1 + twice):
            self.database.finish(claimed, outcome)
        return outcome

    def script(self, entity: str) -> dict[str, Scripted]:
        base = "/profile/wow/character/" + entity.partition("/")[2]
        body = self.people.get(entity)
        if body is None:
            return {base + "/status": missing(), base: missing()}
        pages = {"/status": ok(bodies.status(body["id"])), "": ok(body)} | PARTS
        return {base + page: answer for page, answer in pages.items()}

    def events(self, entity: str) -> list[tuple[Any, ...]]:
        return self.database.rows(
            "SELECT kind, before, after FROM events WHERE entity = ? ORDER BY seen_until, kind", entity
        )

    def names(self) -> list[str]:
        rows = self.database.rows(
            "SELECT region || '/' || realm || '/' || name FROM characters WHERE summary_success_at > 0 ORDER BY 1"
        )
        return [name for (name,) in rows]


@pytest.fixture
def realm(database: Harness, clock: FakeClock) -> Realm:
    return Realm(database, clock)


SHEDAY, NEW_NAME, MOVED = "eu/stormrage/sheday", "eu/stormrage/yadehs", "eu/azuremyst/sheday"
TAUREN: dict[str, Any] = {
    "race": {"id": 6, "name": "Tauren"},
    "faction": {"type": "HORDE"},
    "gender": {"type": "FEMALE"},
}


async def test_changes_are_told_with_the_span_in_which_they_happened(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    first_at = realm.clock.wall()
    realm.people[SHEDAY] = bodies.summary(**TAUREN, guild=bodies.guild_ref())
    await realm.scan(SHEDAY)
    assert realm.events(SHEDAY) == [
        ("FACTION", "ALLIANCE", "HORDE"),
        ("GENDER", "MALE", "FEMALE"),
        ("GUILD", "", "eu/stormrage/avalerion"),
        ("RACE", "Human", "Tauren"),
    ]
    spans = set(realm.database.rows("SELECT seen_from, seen_until FROM events"))
    assert spans == {(first_at, realm.clock.wall())}


async def test_a_guild_renamed_is_no_change_of_guild(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary(guild=bodies.guild_ref())
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = bodies.summary(guild=bodies.guild_ref(name="Phoenix"))
    await realm.scan(SHEDAY)
    assert realm.events(SHEDAY) == []


async def test_a_replayed_finish_leaves_the_same_rows_and_history(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = bodies.summary(**TAUREN, guild=bodies.guild_ref())
    outcome = await realm.scan(SHEDAY)
    before = realm.database.dump()
    claimed = realm.database.claim("characters", SHEDAY)
    realm.database.finish(claimed, outcome)
    after = realm.database.dump()
    assert after == before


@pytest.mark.parametrize("denied_first", [True, False])
async def test_a_new_name_on_the_same_realm_takes_row_and_history_along(realm: Realm, denied_first: bool) -> None:
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = bodies.summary(**TAUREN)
    await realm.scan(SHEDAY)
    del realm.people[SHEDAY]
    realm.people[NEW_NAME] = bodies.summary(name="Yadehs", **TAUREN)
    if denied_first:
        assert isinstance(await realm.scan(SHEDAY), Gone)
    await realm.scan(NEW_NAME, twice=True)
    assert realm.names() == [NEW_NAME]
    assert [kind for kind, *_ in realm.events(NEW_NAME)] == ["FACTION", "GENDER", "RACE", "NAME"]
    assert realm.events(NEW_NAME)[-1] == ("NAME", "Sheday", "Yadehs")
    assert realm.events(SHEDAY) == []
    assert realm.database.show("characters", NEW_NAME)[0]["pets_count"] == 2


async def test_a_transfer_is_told_when_the_old_realm_denies_and_class_agrees(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    realm.people = {MOVED: bodies.summary(realm={"id": 1, "slug": "azuremyst"})}
    await realm.scan(SHEDAY)
    await realm.scan(MOVED)
    assert realm.names() == [MOVED]
    assert realm.events(MOVED) == [("REALM", "stormrage", "azuremyst")]


async def test_a_transfer_seen_at_its_new_realm_first_is_told_by_the_denial(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    realm.people = {MOVED: bodies.summary(realm={"id": 1, "slug": "azuremyst"})}
    await realm.scan(MOVED)
    assert realm.names() == [MOVED, SHEDAY]
    await realm.scan(SHEDAY, twice=True)
    assert realm.names() == [MOVED]
    assert realm.events(MOVED) == [("REALM", "stormrage", "azuremyst")]


async def test_strangers_of_two_realms_with_one_number_are_not_merged(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary()
    realm.people[MOVED] = bodies.summary(character_class={"id": 3, "name": "Hunter"})
    await realm.scan(SHEDAY)
    await realm.scan(MOVED)
    assert realm.names() == [MOVED, SHEDAY]
    assert realm.events(MOVED) == realm.events(SHEDAY) == []


async def test_somebody_else_under_a_known_name_inherits_nothing(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary(guild=bodies.guild_ref())
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = bodies.summary(**TAUREN)
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = bodies.summary(id=2)
    await realm.scan(SHEDAY)
    assert realm.events(SHEDAY) == []
    assert realm.database.row("SELECT id, faction FROM characters") == {"id": 2, "faction": "ALLIANCE"}


async def test_the_first_denial_hides_and_a_return_shows_again(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = None
    await realm.scan(SHEDAY)
    shown = [realm.database.show("characters", SHEDAY, what) for what in ("show", "show_history", "show_same_account")]
    assert shown == [[], [], []]
    assert realm.names() == [SHEDAY]
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    assert realm.database.show("characters", SHEDAY)[0]["pets_count"] == 2
    assert realm.events(SHEDAY) == []


async def test_data_is_purged_only_when_the_denial_has_stood_for_48_hours(realm: Realm) -> None:
    realm.people[SHEDAY] = bodies.summary()
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = bodies.summary(**TAUREN)
    await realm.scan(SHEDAY)
    realm.people[SHEDAY] = None
    await realm.scan(SHEDAY)
    await realm.scan(SHEDAY)
    assert (realm.names(), len(realm.events(SHEDAY))) == ([SHEDAY], 3)
    await realm.scan(SHEDAY, twice=True)
    assert (realm.names(), realm.events(SHEDAY)) == ([], [])
    assert realm.database.row("SELECT id, display_name, level FROM characters") == {
        "id": None,
        "display_name": None,
        "level": None,
    }


async def test_tombstones_end_too(realm: Realm) -> None:
    await realm.scan(SHEDAY)
    realm.database.retain("tombstones", before=realm.clock.wall())
    assert len(realm.database.rows("SELECT * FROM characters")) == 1
    realm.database.retain("tombstones", before=realm.clock.wall() + 1)
    assert realm.database.rows("SELECT * FROM characters") == []
