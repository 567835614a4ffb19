"""Worker index: what makes work for the others."""

from typing import Any

import pytest

from jobs import index
from supervisor.worker.sdk import Discard, Done, NewJob, Outcome, Priority, Retry
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, fails, missing, ok
from tests.support.clock import FakeClock


@pytest.fixture
def harness(database: Harness) -> Harness:
    for region, number in (("eu", 509), ("eu", 600), ("us", 11)):
        database.db.execute(
            """INSERT INTO realms (region, id, slug, name, names, connected_realm_id, seen_at)
               VALUES (?, ?, 'x', 'X', '{}', ?, 0)""",
            (region, number, number),
        )
    return database


class IndexRun:
    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.work = FakeWork(ScriptedApi({}), FakeClock())

    async def run(self, entity: str, script: dict[str, Any] | None = None, **args: Any) -> Outcome:
        priority = args.pop("priority", Priority.BACKGROUND)
        self.work = FakeWork(ScriptedApi(script or {}), FakeClock(wall=self.harness.now))
        job = self.harness.claim("index", entity, args=args, priority=priority)
        outcome = await index.run(job, self.work)
        self.harness.finish(job, outcome)
        return outcome

    def staged(self) -> list[str]:
        return [f"{job.worker} {job.entity}" for job in self.work.staged]


@pytest.fixture
def run(harness: Harness) -> IndexRun:
    return IndexRun(harness)


def entities(jobs: list[NewJob]) -> list[str]:
    return [f"{job.worker} {job.entity}" for job in jobs]


# --- auctions ---------------------------------------------------------------------------------


async def test_auctions_fan_out_to_every_house_of_the_region_without_a_request(run: IndexRun) -> None:
    outcome = await run.run("auctions")
    assert entities(outcome.follow_ups) == ["auctions eu/commodities", "auctions eu/509", "auctions eu/600"]


async def test_houses_keep_the_priority_of_the_fan_out(run: IndexRun) -> None:
    outcome = await run.run("auctions", priority=Priority.URGENT)
    assert {job.priority for job in outcome.follow_ups} == {Priority.URGENT}


@pytest.mark.parametrize(("entity", "args"), [("auctions.us", {}), ("auctions", {"region": "us"})])
async def test_another_region_is_named_by_entity_or_args(run: IndexRun, entity: str, args: dict[str, Any]) -> None:
    outcome = await run.run(entity, **args)
    assert entities(outcome.follow_ups) == ["auctions us/commodities", "auctions us/11"]


async def test_a_region_without_realms_gets_its_realms_read_first(run: IndexRun) -> None:
    outcome = await run.run("auctions.kr")
    assert entities(outcome.follow_ups) == ["index realms.kr"]


async def test_realms_that_are_gone_have_no_house(run: IndexRun) -> None:
    run.harness.db.execute("UPDATE realms SET gone_since = 1 WHERE connected_realm_id = 600")
    outcome = await run.run("auctions")
    assert entities(outcome.follow_ups) == ["auctions eu/commodities", "auctions eu/509"]


async def test_houses_published_a_moment_ago_are_left_alone_when_asked_to(run: IndexRun) -> None:
    run.harness.db.execute(
        """INSERT INTO auction_snapshots VALUES ('eu', 509, ?, '', '', 1, 1, 1, 0, 0, NULL)""",
        (int(run.harness.now) - 600,),
    )
    outcome = await run.run("auctions", min_age_s=3000)
    assert entities(outcome.follow_ups) == ["auctions eu/commodities", "auctions eu/600"]
    assert outcome.saved == 1


async def test_houses_are_due_by_freshness_too(run: IndexRun) -> None:
    run.harness.db.execute(
        """INSERT INTO auction_snapshots VALUES ('eu', 509, 5, '', '', 1, 1, 1, 0, ?, NULL)""", (run.harness.now,)
    )
    due = run.harness.stale("auctions", due_before=run.harness.now - 60)
    assert sorted(due) == ["eu/600", "eu/commodities", "us/11", "us/commodities"]


# --- items ------------------------------------------------------------------------------------


async def test_items_are_staged_range_by_range_and_start_again_after_the_last(run: IndexRun) -> None:
    ranges = []
    for _ in range(4):
        await run.run("items", first=10, last=14, count=2)
        ranges.append(run.staged())
    assert ranges == [
        ["items eu/10", "items eu/11"],
        ["items eu/12", "items eu/13"],
        ["items eu/14"],
        ["items eu/10", "items eu/11"],
    ]


async def test_swept_items_carry_an_age_so_that_known_ones_cost_nothing(run: IndexRun) -> None:
    await run.run("items", first=1, last=5, count=5, max_age_s=60.0)
    assert {job.max_age_s for job in run.work.staged} == {60.0}


async def test_wrong_args_are_discarded_with_the_reason(run: IndexRun) -> None:
    outcome = await run.run("items", count="many")
    assert isinstance(outcome, Discard)
    assert "count" in outcome.error


async def test_an_unknown_index_is_discarded(run: IndexRun) -> None:
    outcome = await run.run("stars")
    assert isinstance(outcome, Discard)
    assert "expected realms, auctions, items or seeds" in outcome.error


# --- seeds ------------------------------------------------------------------------------------

HALL = "/data/wow/leaderboard/hall-of-fame/nerubar-palace"
SEASONS = "/data/wow/pvp-season/index"
BRACKET = "/data/wow/pvp-season/39/pvp-leaderboard/2v2"
BOARD = "/data/wow/connected-realm/509/mythic-leaderboard/353/period/975"
ONE_OF_EACH = {"realms": 1, "brackets": ["2v2"], "raids": ["nerubar-palace"]}


def named(name: str, realm: str = "garona") -> dict[str, Any]:
    return {"name": name, "id": 1, "realm": {"id": 1, "slug": realm}}


def keystone_index(number: int) -> str:
    return f"/data/wow/connected-realm/{number}/mythic-leaderboard/index"


def leaderboards() -> dict[str, Scripted]:
    link = {"key": {"href": f"https://eu.api.blizzard.com{BOARD}?namespace=dynamic-eu"}, "name": "Boralus", "id": 353}
    guilds = [
        {"guild": named("P G"), "region": "eu"},
        {"guild": named("Honestly"), "region": "us"},
        {"guild": named("Эхо", "gordunni"), "region": "eu"},
    ]
    return {
        keystone_index(509): ok({"current_leaderboards": [link]}),
        keystone_index(600): ok({"current_leaderboards": []}),
        BOARD: ok({"leading_groups": [{"members": [{"profile": named("Zéllos")}, {"profile": named("Ann")}]}]}),
        SEASONS: ok({"seasons": [], "current_season": {"id": 39}}),
        BRACKET: ok({"entries": [{"character": named("Ann")}, {"character": named("Bob", "nerzhul")}, {"rank": 3}]}),
        f"{HALL}/alliance": ok({"entries": guilds}),
        f"{HALL}/horde": missing(),
    }


async def test_seeds_stage_characters_and_guilds_of_our_region_once(run: IndexRun) -> None:
    outcome = await run.run("seeds", leaderboards(), **ONE_OF_EACH)
    assert isinstance(outcome, Done)
    assert run.staged() == [
        "characters eu/garona/zéllos",
        "characters eu/garona/ann",
        "characters eu/nerzhul/bob",
        "guilds eu/garona/p-g",
        "guilds eu/gordunni/эхо",
    ]
    assert {job.priority for job in run.work.staged} == {Priority.BACKGROUND}


async def test_the_limit_is_shared_by_the_sources(run: IndexRun) -> None:
    await run.run("seeds", leaderboards(), limit=3, **ONE_OF_EACH)
    assert run.staged() == ["characters eu/garona/zéllos", "characters eu/garona/ann", "guilds eu/garona/p-g"]


async def test_a_leaderboard_that_fails_leaves_the_others(run: IndexRun) -> None:
    outcome = await run.run("seeds", leaderboards() | {SEASONS: fails()}, **ONE_OF_EACH)
    assert isinstance(outcome, Done)
    assert "1 leaderboards could not be read" in outcome.note
    assert "characters eu/garona/ann" in run.staged()


async def test_seeds_are_retried_when_no_leaderboard_answers(run: IndexRun) -> None:
    outcome = await run.run("seeds", dict.fromkeys(leaderboards(), fails()), **ONE_OF_EACH)
    assert isinstance(outcome, Retry)


async def test_each_run_asks_the_next_realms(run: IndexRun) -> None:
    asked = []
    for _ in range(3):
        await run.run("seeds", leaderboards(), **ONE_OF_EACH)
        asked.append(run.work.client.paths[0])
    assert asked == [keystone_index(509), keystone_index(600), keystone_index(509)]


async def test_names_that_cannot_be_entities_are_skipped(run: IndexRun) -> None:
    script = leaderboards() | {BRACKET: ok({"entries": [{"character": named("a/b")}, {"character": named("")}]})}
    await run.run("seeds", script, **ONE_OF_EACH)
    assert [each for each in run.staged() if "characters" in each] == [
        "characters eu/garona/zéllos",
        "characters eu/garona/ann",
    ]
