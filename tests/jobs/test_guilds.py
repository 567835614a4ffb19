"""Worker guilds: summary, roster, one diff."""

from typing import Any

import pytest

from jobs import guilds
from supervisor.worker.sdk import Done, Gone, Outcome, Priority, Retry, Skipped, Unparsed
from tests.jobs import bodies
from tests.jobs.bodies import member
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, empty_404, fails, missing, ok, status
from tests.support.clock import FakeClock

ENTITY = "eu/stormrage/avalerion"
BASE = "/data/wow/guild/stormrage/avalerion"
DAY_S = 86_400.0
ANN, BOB, CID = member(1, "Ann", 0), member(2, "Bob", 3), member(3, "Çid", 5, realm="azuremyst")


class World:
    """One guild's pages; `scan` runs a whole job a day after the last."""

    def __init__(self, database: Harness, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.summary: Scripted | None = None
        self.work: FakeWork
        self.roster = ok(bodies.roster(ANN, BOB, CID))

    def members(self, *members: dict[str, Any], count: int | None = None) -> None:
        """Set the roster, and a member_count that agrees unless `count` says otherwise."""
        self.roster = ok(bodies.roster(*members))
        self.summary = ok(bodies.guild(member_count=len(members) if count is None else count))

    async def scan(self, entity: str = ENTITY, **job: Any) -> Outcome:
        await self.clock.advance(DAY_S)
        self.database.now = self.clock.wall()
        claimed = self.database.claim("guilds", entity, **job)
        base = f"/data/wow/guild/{claimed.parts['realm']}/{claimed.parts['name']}"
        script = {base: self.summary or ok(bodies.guild()), base + "/roster": self.roster}
        self.work = FakeWork(ScriptedApi(script), self.clock)
        outcome = await guilds.run(claimed, self.work)
        self.database.finish(claimed, outcome)
        return outcome

    def events(self) -> list[tuple[Any, ...]]:
        return self.database.rows("SELECT kind, subject, before, after FROM events ORDER BY seen_until, kind, subject")

    def roster_rows(self) -> list[tuple[Any, ...]]:
        return self.database.rows("SELECT member_realm, member_name, rank FROM guild_members ORDER BY member_id")


@pytest.fixture
def world(database: Harness, clock: FakeClock) -> World:
    return World(database, clock)


async def test_a_guild_costs_two_requests_and_keeps_each_member_under_its_own_realm(world: World) -> None:
    outcome = await world.scan()
    assert isinstance(outcome, Done)
    assert world.work.client.paths == [BASE, BASE + "/roster"]
    assert world.work.client.requests[0]["headers"] == {"Battlenet-Namespace": "profile-eu"}
    assert world.roster_rows() == [("stormrage", "ann", 0), ("stormrage", "bob", 3), ("azuremyst", "çid", 5)]
    (row,) = world.database.show("guilds", ENTITY)
    assert (row["name"], row["master"]) == ("Avalerion", "eu/stormrage/ann")
    members = world.database.show("guilds", ENTITY, "show_members")
    assert [each["entity"] for each in members] == ["eu/stormrage/ann", "eu/stormrage/bob", "eu/azuremyst/çid"]


async def test_first_sight_is_not_history_and_asks_for_every_member(world: World) -> None:
    outcome = await world.scan(priority=Priority.URGENT)
    assert world.events() == []
    assert [(job.entity, job.priority) for job in outcome.follow_ups] == [
        ("eu/stormrage/ann", Priority.BACKGROUND),
        ("eu/stormrage/bob", Priority.BACKGROUND),
        ("eu/azuremyst/çid", Priority.BACKGROUND),
    ]


async def test_only_new_members_follow(world: World) -> None:
    await world.scan()
    world.members(ANN, BOB, CID, member(4, "Dan", 6))
    outcome = await world.scan()
    assert [job.entity for job in outcome.follow_ups] == ["eu/stormrage/dan"]


async def test_a_long_list_of_new_members_is_staged_in_chunks(world: World) -> None:
    world.members(ANN, *(member(n, f"n{n}", 5) for n in range(10, 610)))
    outcome = await world.scan()
    assert (outcome.follow_ups, len(world.work.staged)) == ([], 601)


async def test_joins_leaves_and_ranks_are_told(world: World) -> None:
    world.members(ANN, BOB, CID, member(5, "Eve", 4))
    await world.scan()
    world.members(ANN, member(2, "Bob", 2), member(3, "Çid", 6, realm="azuremyst"), member(4, "Dan", 6))
    await world.scan()
    assert world.events() == [
        ("DEMOTE", "eu/azuremyst/çid", "5", "6"),
        ("JOIN", "eu/stormrage/dan", "", "6"),
        ("LEAVE", "eu/stormrage/eve", "4", ""),
        ("PROMOTE", "eu/stormrage/bob", "3", "2"),
    ]
    assert [name for _, name, _ in world.roster_rows()] == ["ann", "bob", "çid", "dan"]
    assert len(world.database.show("guilds", ENTITY, "show_history")) == 4


async def test_a_handover_is_one_line(world: World) -> None:
    await world.scan()
    world.members(member(1, "Ann", 1), member(2, "Bob", 0), CID)
    await world.scan()
    assert world.events() == [("MASTER", "", "eu/stormrage/ann", "eu/stormrage/bob")]


async def test_a_member_renamed_neither_leaves_nor_joins(world: World) -> None:
    await world.scan()
    world.members(ANN, member(2, "Robert", 3), CID)
    await world.scan()
    assert world.events() == []
    assert ("stormrage", "robert", 3) in world.roster_rows()


async def test_strangers_of_two_realms_with_one_number_are_two_members(world: World) -> None:
    world.members(ANN, member(1, "Ann", 4, realm="azuremyst"))
    await world.scan()
    assert len(world.roster_rows()) == 2


async def test_a_replayed_finish_leaves_the_same_rows_and_history(world: World) -> None:
    await world.scan()
    world.members(ANN, member(2, "Bob", 2), member(4, "Dan", 6))
    outcome = await world.scan()
    before = world.database.dump()
    world.database.finish(world.database.claim("guilds", ENTITY), outcome)
    assert world.database.dump() == before


@pytest.mark.parametrize("present", [0, 1, 50, 94])
async def test_an_empty_or_short_roster_passes_and_nobody_leaves(world: World, present: int) -> None:
    everybody = [ANN, *(member(n, f"n{n}", 5) for n in range(10, 109))]
    world.members(*everybody)
    await world.scan()
    world.members(*everybody[:present], count=100)
    outcome = await world.scan()
    assert isinstance(outcome, Retry)
    assert outcome.error == f"the roster has {present} of 100 members"
    assert (len(world.roster_rows()), world.events()) == (100, [])
    assert world.database.row("SELECT * FROM guilds")["roster_success_at"] == world.clock.wall() - DAY_S


async def test_an_empty_roster_is_short_even_of_an_empty_guild(world: World) -> None:
    world.members(count=0)
    assert isinstance(await world.scan(), Retry)


async def test_a_few_members_less_than_the_summary_says_is_a_roster(world: World) -> None:
    world.members(ANN, BOB, count=5)
    assert isinstance(await world.scan(), Done)


async def test_a_guild_of_many_that_left_is_told_when_the_summary_agrees(world: World) -> None:
    world.members(ANN, *(member(n, f"n{n}", 5) for n in range(10, 110)))
    await world.scan()
    world.members(ANN)
    await world.scan()
    assert [kind for kind, *_ in world.events()] == ["LEAVE"] * 100


async def test_an_unknown_guild_costs_one_request(world: World) -> None:
    world.summary = missing()
    outcome = await world.scan()
    assert isinstance(outcome, Gone)
    assert world.work.client.paths == [BASE]
    again = await world.scan(max_age_s=2 * DAY_S)
    assert again == Skipped(note="gone, asked 1 d ago (--max-age 0)", saved=1)


async def test_a_guild_is_hidden_then_purged_with_members_and_history(world: World) -> None:
    await world.scan()
    world.members(ANN, BOB, CID, member(4, "Dan", 6))
    await world.scan()
    world.summary = missing()
    await world.scan()
    assert (world.database.show("guilds", ENTITY), len(world.roster_rows()), len(world.events())) == ([], 4, 1)
    await world.scan()
    await world.scan(max_age_s=0)
    assert (world.roster_rows(), world.events()) == ([], [])


@pytest.mark.parametrize("trouble", [status(500), empty_404(), fails("timeout")])
async def test_trouble_with_the_summary_is_retried_without_a_trace_of_absence(world: World, trouble: Scripted) -> None:
    await world.scan()
    before = world.database.row("SELECT * FROM guilds")
    world.summary = trouble
    assert isinstance(await world.scan(), Retry)
    assert world.database.row("SELECT * FROM guilds") == before | {"last_attempt_at": world.clock.wall()}


@pytest.mark.parametrize("trouble", [status(500), missing(), fails("connection")])
async def test_trouble_with_the_roster_keeps_summary_and_members(world: World, trouble: Scripted) -> None:
    await world.scan()
    world.roster = trouble
    assert isinstance(await world.scan(), Retry)
    assert len(world.roster_rows()) == 3
    assert world.database.row("SELECT * FROM guilds")["summary_success_at"] == world.clock.wall()


async def test_a_roster_of_another_shape_is_unparsed_and_nobody_leaves(world: World) -> None:
    await world.scan()
    world.roster = ok({"people": []})
    outcome = await world.scan()
    assert isinstance(outcome, Unparsed)
    assert (outcome.endpoint, len(world.roster_rows())) == ("guild/roster", 3)


async def test_a_fresh_guild_needs_no_request(world: World) -> None:
    await world.scan()
    outcome = await world.scan(max_age_s=2 * DAY_S)
    assert outcome == Skipped(note="fresh 1 d ago (--max-age 0)", saved=2)


async def test_a_renamed_guild_takes_members_and_history_along(world: World) -> None:
    await world.scan()
    world.members(ANN, BOB, CID, member(4, "Dan", 6))
    await world.scan()
    world.summary = ok(bodies.guild(name="Phoenix", member_count=3))
    world.roster = ok(bodies.roster(ANN, BOB, CID))
    await world.scan("eu/stormrage/phoenix")
    assert world.database.rows("SELECT name, display_name FROM guilds") == [("phoenix", "Phoenix")]
    assert [kind for kind, *_ in world.events()] == ["JOIN", "LEAVE", "NAME"]
    assert set(world.database.rows("SELECT entity FROM events")) == {("eu/stormrage/phoenix",)}


async def test_another_guild_under_a_known_name_inherits_nobody(world: World) -> None:
    await world.scan()
    world.summary, world.roster = ok(bodies.guild(id=78, member_count=1)), ok(bodies.roster(member(9, "Zoé", 0)))
    await world.scan()
    assert (world.roster_rows(), world.events()) == ([("stormrage", "zoé", 0)], [])


async def test_stale_guilds_are_those_whose_roster_is_old(world: World) -> None:
    await world.scan()
    assert world.database.stale("guilds") == [ENTITY]
    assert world.database.stale("guilds", due_before=world.clock.wall() - 1) == []
    assert world.database.stale("guilds", seen_before=world.clock.wall()) == []
