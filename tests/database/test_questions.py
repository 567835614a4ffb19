"""Questions of people, as HTTP status and JSON."""

import asyncio
from typing import Any

import pytest

from supervisor.core.job import Effect
from tests.database.bench import Desk
from tests.support.clock import FakeClock


async def test_enqueue_answers_where_the_job_stands(desk: Desk) -> None:
    status, answer = await desk.ask("enqueue", {"worker": "towns", "entity": "EU/Paris", "priority": "urgent"})
    assert status == 202
    job = {"id": 1, "worker": "towns", "entity": "eu/paris", "state": "available", "merged": False}
    assert answer == {"accepted": 1, "new": 1, "merged": 0, "jobs": [job]}
    _, answer = await desk.ask("enqueue", {"worker": "towns", "entity": "paris"})
    assert (answer["merged"], answer["jobs"][0]["id"]) == (1, 1)


async def test_entity_may_be_spelled_by_args(desk: Desk) -> None:
    _, answer = await desk.ask("enqueue", {"worker": "markets", "args": {"number": 7}})
    assert answer["jobs"][0]["entity"] == "eu/7"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"worker": "twns", "entity": "eu/a"}, "nearest is 'towns'"),
        ({"worker": "towns", "entity": "eu/a/b/c"}, "2 parts"),
        ({"worker": "markets", "entity": "eu/seven"}, "no number"),
        ({"worker": "towns", "entity": "eu/a", "priority": "asap"}, "urgent, normal or background"),
        ({"worker": "towns", "entity": "eu/a", "prioriti": "urgent"}, "prioriti"),
        (b"\xff\xfe", "malformed"),
    ],
)
async def test_job_that_cannot_be_understood_is_422_and_says_why(desk: Desk, body: Any, detail: str) -> None:
    status, answer = await desk.ask("enqueue", body)
    assert (status, answer["status"], answer["title"]) == (422, 422, "cannot be understood")
    assert detail in answer["detail"]


async def test_one_bad_line_keeps_all_from_being_enqueued(desk: Desk) -> None:
    jobs = [{"worker": "towns", "entity": "eu/a"}, {"worker": "towns", "entity": ""}, {"entity": "x", "line": 40}]
    status, answer = await desk.ask("enqueue", {"jobs": jobs})
    assert status == 422
    assert [problem["line"] for problem in answer["errors"]] == [2, 40]
    assert await desk.rows("SELECT * FROM jobs") == []


async def test_too_many_jobs_at_once_are_refused(desk: Desk) -> None:
    status, _ = await desk.ask("enqueue", {"jobs": [{"worker": "towns", "entity": "eu/a"}] * 1001})
    assert status == 422


async def test_batch_is_staged_accepted_and_moved(desk: Desk) -> None:
    _, opened = await desk.ask("batch.open")
    batch = str(opened["batch"])
    for start in (1, 801):
        jobs = [{"line": n, "worker": "markets", "entity": f"eu/{n}"} for n in range(start, start + 800)]
        status, answer = await desk.ask("batch.append", {"jobs": jobs}, batch=batch)
        assert status == 200, answer
    bad = [{"line": 7, "worker": "markets", "entity": "eu/x"}]
    status, answer = await desk.ask("batch.append", {"jobs": bad}, batch=batch)
    assert (status, answer["errors"][0]["line"]) == (422, 7)
    assert (await desk.ask("batch.accept", batch=batch))[1]["jobs"] == 1600
    await desk.service.parts.mover.run_once()
    assert desk.service.parts.counts.total("markets", "available") == 1600


async def test_aborted_batch_leaves_nothing(desk: Desk) -> None:
    _, opened = await desk.ask("batch.open")
    batch = str(opened["batch"])
    await desk.ask("batch.append", {"jobs": [{"worker": "towns", "entity": "eu/a"}]}, batch=batch)
    assert (await desk.ask("batch.abort", batch=batch))[0] == 200
    assert (await desk.ask("batch.accept", batch=batch))[0] == 409
    await desk.service.parts.mover.run_once()
    assert await desk.rows("SELECT * FROM jobs") == []


async def test_list_goes_from_newest_to_oldest_in_pages(desk: Desk) -> None:
    await desk.enqueue("eu/a", "eu/b", "eu/c")
    await desk.enqueue("eu/7", worker="markets", priority="urgent")
    _, page = await desk.ask("jobs.list", worker="towns", limit="2")
    assert [job["entity"] for job in page["jobs"]] == ["eu/c", "eu/b"]
    _, page = await desk.ask("jobs.list", worker="towns", limit="2", after=str(page["next"]))
    assert ([job["entity"] for job in page["jobs"]], page["next"]) == (["eu/a"], None)
    _, page = await desk.ask("jobs.list", priority="urgent", state="available")
    assert [job["worker"] for job in page["jobs"]] == ["markets"]


@pytest.mark.parametrize("params", [{"state": "odd"}, {"priority": "odd"}, {"limit": "-1"}, {"after": "x"}])
async def test_list_refuses_what_does_not_exist(desk: Desk, params: dict[str, str]) -> None:
    assert (await desk.ask("jobs.list", **params))[0] == 422


async def test_show_of_a_job_says_all_but_the_lease(desk: Desk) -> None:
    (job,) = await desk.enqueue("eu/a", args={"deep": True})
    _, answer = await desk.ask("jobs.show", id=str(job))
    assert (answer["worker"], answer["priority"], answer["args"]) == ("towns", "normal", {"deep": True})
    assert "lease" not in answer
    assert (await desk.ask("jobs.show", id="99"))[0] == 404


async def test_wait_answers_when_the_job_has_ended(desk: Desk, clock: FakeClock) -> None:
    (job,) = await desk.enqueue("eu/a")
    replica = await desk.replica()
    waiting = asyncio.ensure_future(desk.ask("jobs.wait", id=str(job), timeout_s="60"))
    await replica.finish((await replica.claim())[0], "skipped", note="fresh")
    while not waiting.done():
        await clock.advance(0.1)
    status, answer = await waiting
    assert (status, answer["outcome"], answer["note"]) == (200, "skipped", "fresh")


async def test_wait_for_a_job_that_was_asked_again_lasts_until_its_second_run(desk: Desk, clock: FakeClock) -> None:
    (job,) = await desk.enqueue("eu/a")
    replica = await desk.replica()
    (first,) = await replica.claim()
    await desk.enqueue("eu/a", max_age_s=0)
    await replica.finish(first, note="first")
    waiting = asyncio.ensure_future(desk.ask("jobs.wait", id=str(job), timeout_s="60"))
    await replica.finish((await replica.claim())[0], note="second")
    while not waiting.done():
        await clock.advance(0.1)
    assert (await waiting)[1]["note"] == "second"


async def test_wait_in_vain_answers_how_the_job_is(desk: Desk) -> None:
    (job,) = await desk.enqueue("eu/a")
    status, answer = await desk.ask("jobs.wait", id=str(job), timeout_s="0")
    assert (status, answer["state"]) == (202, "available")


async def test_discarded_jobs_are_retried_with_a_fresh_budget(desk: Desk) -> None:
    jobs = await desk.enqueue("eu/a", "eu/b", "eu/c")
    replica = await desk.replica()
    for job in await replica.claim(3):
        await replica.finish(job, "discard", error="no")
    await desk.enqueue("eu/c")
    assert await desk.ask("jobs.retry", worker="towns", dry_run="1") == (200, {"matched": 3, "changed": 0})
    assert await desk.ask("jobs.retry", worker="towns") == (200, {"matched": 3, "changed": 2})
    rows = await desk.rows("SELECT id, state, finished_at FROM jobs WHERE id <= 3")
    assert [row["state"] for row in rows] == ["available", "available", "discarded"]
    assert await desk.ask("jobs.retry", id=str(jobs[0])) == (200, {"matched": 1, "changed": 0})


async def test_waiting_jobs_are_discarded_by_filter_and_running_ones_are_not(desk: Desk) -> None:
    jobs = await desk.enqueue("eu/a", "eu/b")
    replica = await desk.replica()
    (running,) = await replica.claim()
    assert (await desk.ask("jobs.discard"))[0] == 422
    assert await desk.ask("jobs.discard", worker="towns") == (200, {"matched": 1, "changed": 1})
    assert (await desk.ask("jobs.discard", id=str(running.id)))[0] == 409
    assert (await desk.ask("jobs.discard", id=str(jobs[1])))[0] == 409


async def test_queues_counts_each_worker(desk: Desk) -> None:
    await desk.enqueue("eu/a", "eu/b")
    _, answer = await desk.ask("queues")
    assert answer["queues"]["towns"] == {"counts": {"available": 2}, "by_priority": {"available": [0, 2, 0]}}
    assert answer["queues"]["rounds"] == {"counts": {}, "by_priority": {}}


async def test_show_finds_the_first_worker_that_knows_the_entity(desk: Desk) -> None:
    await desk.enqueue("eu/paris")
    replica = await desk.replica()
    effects = [Effect("town_weather", [{"weather": "sun"}]), Effect("town_event", [{"what": "fair"}])]
    await replica.finish((await replica.claim())[0], effects=effects)
    _, answer = await desk.ask("show", entity="EU/Paris")
    assert (answer["worker"], answer["entity"]) == ("towns", "eu/paris")
    assert answer["rows"]["towns_show"][0]["weather"] == "sun"
    assert answer["rows"]["towns_show_events"] == [{"what": "fair;", "at": desk.clock.wall()}]
    assert (await desk.ask("show", entity="eu/nowhere"))[0] == 404
    assert (await desk.ask("show", entity="a/b/c/d"))[0] == 422
    assert (await desk.ask("show", entity="eu/paris", worker="songs"))[0] == 422


@pytest.mark.parametrize("table", ["towns", "stalls", "town_events"])
async def test_export_pages_through_a_table_in_order_of_its_key(desk: Desk, table: str) -> None:
    fill = {
        "towns": "INSERT INTO towns (region, town) VALUES ('eu', 'town' || :i)",
        "stalls": "INSERT INTO stalls (region, number, stall) VALUES ('eu', 7, :i)",
        "town_events": "INSERT INTO town_events VALUES ('town' || :i, 'x', 1.0)",
    }
    await desk.do(lambda db, now: db.executemany(fill[table], [{"i": i} for i in range(5)]).rowcount)
    rows: list[list[Any]] = []
    after = ""
    while True:
        status, page = await desk.ask("export", table=table, limit="2", after=after)
        assert status == 200, page
        assert page.get("total") == (None if after else 5)
        rows += page["rows"]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(rows) == 5
    assert len(rows[0]) == len(page["columns"])


@pytest.mark.parametrize("table", ["engine", "sqlite_master", "", 'towns" --'])
async def test_export_knows_results_only(desk: Desk, table: str) -> None:
    status, answer = await desk.ask("export", table=table)
    assert status == 422
    assert "towns" in answer["detail"]


async def test_unknown_operation_is_404(desk: Desk) -> None:
    assert (await desk.ask("jobs.juggle"))[0] == 404


async def test_statistics_are_plain(desk: Desk) -> None:
    _, answer = await desk.ask("statistics")
    assert answer["sqlite"].startswith("3.")
