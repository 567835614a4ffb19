"""Worker profile: five requests, then processing."""

import json
from typing import Any

import pytest

from jobs import profile
from jobs.models.common import Typed
from jobs.models.profile import EquippedItem, Level
from jobs.profile_rows import item_level, role
from supervisor.worker.sdk import Done, Gone, Outcome, Retry, Skipped, Unparsed
from tests.jobs import bodies
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, missing, ok, status
from tests.support.clock import FakeClock

ENTITY = "eu/stormrage/sheday"
BASE = "/profile/wow/character/stormrage/sheday"
PAGES = ["/equipment", "/specializations", "/mythic-keystone-profile", "/encounters/raids", "/professions"]
DAY_S = 86_400.0
ARMOR = [
    *("HEAD", "NECK", "SHOULDER", "BACK", "CHEST", "WRIST", "HANDS", "WAIST", "LEGS", "FEET"),
    *("FINGER_1", "FINGER_2", "TRINKET_1", "TRINKET_2"),
]
ALCHEMY = {
    "profession": {"id": 171, "name": "Alchemy"},
    "tiers": [{"tier": {"id": 2478, "name": "Kul Tiran"}, "skill_points": 175, "max_skill_points": 175}],
}
ARCHAEOLOGY = {"profession": {"id": 794, "name": "Archaeology"}, "skill_points": 500, "max_skill_points": 950}


class World:
    """One profile's pages; `scan` runs a whole job a day after the last."""

    def __init__(self, database: Harness, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.braked: set[str] = set()
        self.asked: list[str] = []
        self.pages: dict[str, Scripted] = {
            "/equipment": ok({"equipped_items": [bodies.item(slot, 600) for slot in ARMOR]}),
            "/specializations": ok({"active_specialization": {"id": 70, "name": "Retribution"}}),
            "/mythic-keystone-profile": ok(bodies.keystones(bodies.run(10, 66), bodies.run(12, 66), rating=2345.6)),
            "/encounters/raids": ok(
                bodies.raids((1296, "Undermine", {"NORMAL": (8, 8), "HEROIC": (5, 8)}), (1031, "Uldir", {}))
            ),
            "/professions": ok({"primaries": [ALCHEMY], "secondaries": [ARCHAEOLOGY]}),
        }

    async def scan(self, **job: Any) -> Outcome:
        await self.clock.advance(DAY_S)
        self.database.now = self.clock.wall()
        claimed = self.database.claim("profile", ENTITY, **job)
        work = FakeWork(ScriptedApi({BASE + page: answer for page, answer in self.pages.items()}), self.clock)
        work.braked = self.braked
        outcome = await profile.run(claimed, work)
        self.database.finish(claimed, outcome)
        self.asked = [path.removeprefix(BASE) for path in work.client.paths]
        return outcome

    def row(self) -> dict[str, Any]:
        return self.database.row("SELECT * FROM profiles")


@pytest.fixture
def world(database: Harness, clock: FakeClock) -> World:
    return World(database, clock)


async def test_a_profile_costs_five_requests_and_is_processed_into_one_row(world: World) -> None:
    outcome = await world.scan()
    assert isinstance(outcome, Done)
    assert sorted(world.asked) == sorted(PAGES)
    row = world.row()
    assert (row["rating"], row["raid_progress"]) == (2345.6, "Undermine 8/8 N 5/8 H")
    assert (row["spec_role"], row["played_role"], row["main_role"]) == ("damage", "tank", "tank")
    assert json.loads(row["best_runs"])[1] == {"dungeon": "Atal'Dazar", "level": 12, "in_time": True, "role": "tank"}
    assert json.loads(row["professions"]) == [
        {"id": 171, "name": "Alchemy", "tiers": [{"id": 2478, "name": "Kul Tiran", "points": 175, "max": 175}]},
        {"id": 794, "name": "Archaeology", "tiers": [{"id": 0, "name": "", "points": 500, "max": 950}]},
    ]
    assert row["success_at"] == world.clock.wall()


async def test_who_never_played_any_of_it_has_an_empty_profile(world: World) -> None:
    world.pages |= {
        "/equipment": ok({"equipped_items": []}),
        "/specializations": ok({}),
        "/mythic-keystone-profile": ok(bodies.keystones()),
        "/encounters/raids": ok({}),
        "/professions": ok({}),
    }
    assert isinstance(await world.scan(), Done)
    row = world.row()
    assert [row[name] for name in ("item_level", "main_role", "rating", "raid_progress")] == [None] * 4
    assert (row["raids"], row["professions"], row["best_runs"]) == ("[]", "[]", "[]")


async def test_a_fresh_profile_needs_no_request(world: World) -> None:
    await world.scan()
    assert await world.scan(max_age_s=2 * DAY_S) == Skipped(note="fresh 1 d ago (--max-age 0)", saved=5)
    assert world.asked == []


async def test_a_retry_asks_only_for_what_failed(world: World) -> None:
    world.pages["/professions"] = status(502)
    assert isinstance(await world.scan(), Retry)
    assert world.row()["success_at"] == 0
    world.pages["/professions"] = ok({"primaries": [ALCHEMY]})
    outcome = await world.scan(max_age_s=2 * DAY_S, attempt=2)
    assert isinstance(outcome, Done)
    assert (world.asked, outcome.saved) == (["/professions"], 4)


async def test_one_unknown_shape_does_not_block_the_others(world: World) -> None:
    world.pages["/mythic-keystone-profile"] = ok({"week": {}})
    outcome = await world.scan()
    assert isinstance(outcome, Unparsed)
    assert outcome.endpoint == "profile/keystones"
    assert (world.row()["item_level"], world.row()["keystones_success_at"]) == (525.0, 0)


async def test_a_braked_part_is_left_and_stays_due(world: World) -> None:
    world.braked = {"profile/raids"}
    outcome = await world.scan()
    assert isinstance(outcome, Unparsed)
    assert (outcome.endpoint, outcome.body) == ("profile/raids", b"")
    world.braked = set()
    await world.scan(max_age_s=2 * DAY_S)
    assert world.asked == ["/encounters/raids"]


async def test_a_missing_part_keeps_what_was_known(world: World) -> None:
    await world.scan()
    world.pages["/mythic-keystone-profile"] = missing()
    assert isinstance(await world.scan(), Done)
    assert (world.row()["rating"], world.row()["keystones_success_at"]) == (2345.6, world.clock.wall())


async def test_denied_everywhere_is_gone_hidden_and_after_48_hours_purged(world: World) -> None:
    await world.scan()
    world.pages = dict.fromkeys(PAGES, missing())
    assert isinstance(await world.scan(), Gone)
    assert world.database.show("profile", ENTITY) == []
    assert world.row()["item_level"] == 525.0
    await world.scan()
    await world.scan()
    assert world.database.rows("SELECT * FROM profiles") == []


async def test_trouble_everywhere_is_no_row(world: World) -> None:
    world.pages = dict.fromkeys(PAGES, status(500))
    assert isinstance(await world.scan(), Retry)
    assert world.database.rows("SELECT * FROM profiles") == []


async def test_a_replayed_finish_leaves_the_same_row(world: World) -> None:
    outcome = await world.scan()
    before = world.database.dump()
    world.database.finish(world.database.claim("profile", ENTITY), outcome)
    assert world.database.dump() == before


async def test_stale_profiles_are_the_old_ones(world: World) -> None:
    await world.scan()
    assert world.database.stale("profile") == [ENTITY]
    assert world.database.stale("profile", due_before=world.clock.wall() - 1) == []


def worn(slot: str, level: int, inventory_type: str = "") -> EquippedItem:
    held = Typed(type=inventory_type) if inventory_type else None
    return EquippedItem(slot=Typed(type=slot), level=Level(value=level), inventory_type=held)


def test_item_level_is_the_mean_of_sixteen_slots_without_shirt_and_tabard() -> None:
    armor = [worn(slot, 600) for slot in ARMOR]
    hands = [worn("MAIN_HAND", 600, "WEAPON"), worn("OFF_HAND", 584, "SHIELD")]
    assert item_level([*armor, *hands, worn("SHIRT", 1), worn("TABARD", 1)]) == 599.0
    assert item_level([]) is None


def test_a_two_handed_weapon_fills_both_hands_and_a_lone_dagger_one() -> None:
    armor = [worn(slot, 600) for slot in ARMOR]
    assert item_level([*armor, worn("MAIN_HAND", 600, "TWOHWEAPON")]) == 600.0
    assert item_level([*armor, worn("MAIN_HAND", 600, "WEAPON")]) == 562.5


def test_roles_follow_the_specialization() -> None:
    assert [role(spec) for spec in (73, 264, 1473, 99999)] == ["tank", "healer", "damage", "damage"]
