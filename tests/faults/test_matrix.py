"""Each fault of the API against each worker: the right end, nothing fresh, and all caught up afterwards.

The API, the limiter, the client, the job code and the database are the real ones (`rig.py`).
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from supervisor.core.messages.replica_supervisor import NOT_SENT, Release
from tests.faults.cast import Cast
from tests.faults.facts import facts
from tests.faults.matrix import PASSING, ROWS, Row, body, status
from tests.faults.rig import SECRET, Rig, rig

pytestmark = pytest.mark.slow

HOST_DOWN = "host down"
HIDING = ("characters", "guilds", "profiles", "items")
PATIENT = ("characters", "auctions")
"""What passes is the client's and the limiter's matter: many small requests and a large one stand for all workers."""


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """One rig for all rows."""
    async with rig(tmp_path_factory.mktemp("rig")) as started:
        yield started


@pytest.fixture
async def cast(running: Rig) -> Cast:
    """Everybody, read just now, also after a row that failed."""
    cast = Cast(running)
    await cast.meet()
    return cast


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_fault_makes_nothing_fresh_and_leaves_nothing_behind(row: Row, running: Rig, cast: Cast) -> None:
    before = await facts(running)
    jobs = []
    running.api |= row.api
    running.faults(row.fault)
    for worker, entity in cast.due():
        running.replicas[worker].released.clear()
        job = await running.run(worker, entity, max_age_s=0)
        said = job["error"] or job["note"]
        assert job["outcome"] in row.outcomes, job
        assert row.says in said or HOST_DOWN in said, job
        assert_ended(row, running.replicas[worker].released, is_host_down=HOST_DOWN in said)
        jobs.append(job["id"])
    assert await facts(running) == before
    await assert_tame(running)
    await assert_caught_up(running, jobs)


@pytest.mark.parametrize(("name", "fault"), PASSING, ids=[name for name, _ in PASSING])
async def test_what_passes_costs_no_job(name: str, fault: dict[str, Any], running: Rig, cast: Cast) -> None:
    since = running.clock.wall()
    for worker, entity in cast.due():
        if worker not in PATIENT:
            continue
        running.faults(fault)
        job = await running.run(worker, entity, max_age_s=0)
        assert job["state"] == "completed", job
        assert sum(rule["applied"] for rule in running.simulator.gateway.faults.report()) > 0
    await assert_tame(running)
    await assert_fresh(running, since, "characters")


async def test_the_apis_own_404_hides_and_what_is_found_again_is_there_again(running: Rig, cast: Cast) -> None:
    before = await facts(running)
    running.faults(status(404))
    outcomes, jobs = {}, []
    for worker, entity in cast.due():
        job = await running.run(worker, entity, max_age_s=0)
        outcomes[worker] = job["outcome"]
        jobs.append(job["id"])
    assert outcomes == dict.fromkeys(("characters", "guilds", "profile", "items", "auctions"), "gone") | {
        "index": "retry"
    }
    during = await facts(running)
    for table in ("characters", "guilds", "profiles", "items"):
        assert any(row["gone_since"] for row in during[table]), table
    for table in ("guild_members", "events", "realms", "auction_snapshots", "item_prices"):
        assert during[table] == before[table], table
    await cast.meet()
    after = await facts(running)
    hidden = [row for table in HIDING for row in after[table] if row["gone_since"]]
    assert [row["summary_success_at"] for row in hidden] == [None], "the stranger alone, of whom nothing was ever known"


@pytest.mark.parametrize(
    ("fault", "outcome"), [(status(500), "retry"), ({"do": "html"}, "retry"), (body(b"[]"), "unparsed")]
)
async def test_leaderboards_that_cannot_be_read_seed_nothing(
    fault: dict[str, Any], outcome: str, running: Rig, cast: Cast
) -> None:
    before = await facts(running)
    running.faults(fault)
    row = await running.run("index", "seeds")
    assert row["outcome"] == outcome, row
    assert await facts(running) == before
    await assert_tame(running)


def assert_ended(row: Row, released: list[Release], *, is_host_down: bool) -> None:
    """Every permit came back, and as its request deserves; a start for a host that is down goes back unsent."""
    ends = {(end.fate, end.status) for end in released}
    assert ends
    assert ends <= row.fates | ({(NOT_SENT, 0)} if is_host_down else set()), ends


async def assert_tame(running: Rig) -> None:
    """No surprise was met, and nobody was told a secret."""
    assert not running.named("job_raised"), running.named("job_raised")
    said = repr(running.told)
    for table in ("jobs", "unparsed_bodies"):
        said += repr(await running.rows(f"SELECT * FROM {table}"))
    tokens = list(running.simulator.gateway.clients._tokens)
    assert tokens
    assert not [secret for secret in (SECRET, *tokens) if secret in said]


async def assert_caught_up(running: Rig, jobs: list[int]) -> None:
    """After the fault every job does what it is for."""
    running.heal()
    since = running.clock.wall()
    for job in jobs:
        row = await running.again(job)
        assert row["state"] == "completed", row
    await assert_fresh(running, since)


async def assert_fresh(running: Rig, since: float, *tables: str) -> None:
    """Every part of somebody of each kind has been read after `since`."""
    for table in tables or _SUCCESS:
        success_at = _SUCCESS[table]
        (newest,) = await running.rows(f"SELECT max({success_at}) AS at FROM {table} WHERE gone_since IS NULL")
        assert newest["at"] >= since, table
    running.faults()
    running.told.clear()
    running.is_tidy = True


_SUCCESS = {
    "characters": "min(summary_success_at, pets_success_at, mounts_success_at, media_success_at)",
    "guilds": "roster_success_at",
    "profiles": "success_at",
    "items": "min(item_success_at, media_success_at)",
}
