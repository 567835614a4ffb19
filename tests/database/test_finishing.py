"""Finishes: one transaction, one effect, whatever the outcome."""

import sqlite3

import pytest

from supervisor.core.errors import RefusedError, UsageError
from supervisor.core.job import ClaimedJob, Effect, NewJob
from supervisor.database import finishing
from supervisor.database.staging import stage
from tests.database.bench import Bench


def claimed(bench: Bench, entity: str = "eu/paris") -> ClaimedJob:
    bench.enqueue(entity)
    (job,) = bench.claim()
    return job


@pytest.mark.parametrize("outcome", ["done", "skipped", "gone"])
def test_good_end_completes_the_job(bench: Bench, outcome: str) -> None:
    job = claimed(bench)
    assert bench.finish(job, outcome, note="fresh 3 h ago", requests=4) == "done"
    row = bench.row(job.id)
    assert (row["state"], row["outcome"], row["note"]) == ("completed", outcome, "fresh 3 h ago")
    assert (row["requests"], row["finished_at"], row["replica"]) == (4, bench.now, None)


def test_rows_and_follow_ups_commit_with_the_completion(bench: Bench) -> None:
    job = claimed(bench)
    effects = [Effect("town_weather", [{"weather": "sun"}]), Effect("town_event", [{"town": "paris", "what": "fair"}])]
    bench.finish(job, effects=effects, jobs=[NewJob(worker="markets", entity="eu/7")])
    assert bench.rows("SELECT town, weather FROM towns") == [{"town": "paris", "weather": "sun"}]
    assert bench.rows("SELECT what FROM town_events") == [{"what": "fair;"}]
    assert bench.claim(worker="markets")[0].parts == {"region": "eu", "number": "7"}


def test_follow_ups_that_only_the_tables_know_are_enqueued_in_the_background(bench: Bench) -> None:
    bench.finish(claimed(bench, "eu/rome"), effects=[Effect("town_weather", [{"weather": "unknown"}])])
    bench.enqueue("eu/7", worker="markets")
    bench.finish(bench.claim(worker="markets")[0])
    (job,) = bench.claim()
    assert (job.entity, job.priority, job.provenance) == ("eu/rome", 2, "markets eu/7")


def test_bad_row_undoes_the_whole_finish(bench: Bench) -> None:
    job = claimed(bench)
    effects = [Effect("town_weather", [{"weather": "sun"}]), Effect("town_event", [{"wat": "misspelt"}])]
    with pytest.raises(sqlite3.Error) as raised:
        bench.finish(job, effects=effects)
    assert raised.value.__notes__ == ["in statement town_event"]
    assert bench.rows("SELECT * FROM towns") == []
    assert bench.row(job.id)["state"] == "executing"


def test_unknown_statement_is_named(bench: Bench) -> None:
    with pytest.raises(UsageError, match="town_wether"):
        bench.finish(claimed(bench), effects=[Effect("town_wether", [{}])])


def test_unknown_outcome_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="splendid"):
        bench.finish(claimed(bench), "splendid")


def test_repeated_finish_is_already_done_and_has_no_second_effect(bench: Bench) -> None:
    job = claimed(bench)
    jobs = [NewJob(worker="markets", entity="eu/7")]
    bench.finish(job, jobs=jobs)
    bench.finish(bench.claim(worker="markets", replica="markets#1")[0])
    assert bench.finish(job, jobs=jobs) == "already done"
    assert bench.claim(worker="markets") == []


def test_finish_with_an_old_lease_changes_nothing(bench: Bench) -> None:
    job = claimed(bench)
    bench.exit(crashed=False)
    (second,) = bench.claim(replica="towns#2")
    assert bench.finish(job, effects=[Effect("town_weather", [{"weather": "late"}])]) == "lost"
    assert bench.rows("SELECT * FROM towns") == []
    assert bench.finish(second) == "done"


def test_finish_of_a_job_that_is_forgotten_is_lost(bench: Bench) -> None:
    job = claimed(bench)
    assert bench.finish(ClaimedJob(id=99, lease=job.lease, worker="towns", entity="eu/x", parts={})) == "lost"


def test_retry_waits_its_backoff_and_spends_an_attempt(bench: Bench) -> None:
    job = claimed(bench)
    bench.finish(job, "retry", error="503", backoff_s=7.0)
    row = bench.row(job.id)
    assert (row["state"], row["attempt"], row["run_at"], row["error"]) == ("retryable", 1, bench.now + 7, "503")


def test_retry_after_named_seconds_waits_those(bench: Bench) -> None:
    job = claimed(bench)
    bench.finish(job, "retry", after_s=90.0)
    assert bench.row(job.id)["run_at"] == bench.now + 90


def test_last_attempt_discards_visibly(bench: Bench) -> None:
    job = claimed(bench)
    for _ in range(3):
        bench.finish(job, "retry", after_s=0.0, error="503")
        bench.db.execute("UPDATE jobs SET state = 'available' WHERE state = 'retryable'")
        job = (bench.claim() or [job])[0]
    row = bench.row(job.id)
    assert (row["state"], row["error"], row["attempt"]) == ("discarded", "attempts spent (3): 503", 3)


def test_snooze_spends_no_attempt(bench: Bench) -> None:
    job = claimed(bench)
    bench.finish(job, "snooze", after_s=30.0)
    row = bench.row(job.id)
    assert (row["state"], row["attempt"], row["run_at"]) == ("scheduled", 0, bench.now + 30)


def test_unparsed_without_a_body_pushes_no_body_out(bench: Bench) -> None:
    bench.enqueue()
    (job,) = bench.claim()
    bench.finish(job, "unparsed", endpoint="town", error="town: not asked")
    assert bench.rows("SELECT * FROM unparsed_bodies") == []
    assert bench.row(job.id)["outcome"] == "unparsed"


def test_unparsed_keeps_the_last_twenty_bodies_of_an_endpoint(bench: Bench) -> None:
    for i in range(22):
        job = claimed(bench, f"eu/town{i}")
        bench.finish(job, "unparsed", endpoint="town", error="no weather", body=b"%d" % i)
    bodies = [row["body"] for row in bench.rows("SELECT body FROM unparsed_bodies ORDER BY id")]
    assert bodies == [b"%d" % i for i in range(2, 22)]
    assert bench.row(job.id)["state"] == "discarded"
    assert bench.row(job.id)["outcome"] == "unparsed"


def test_rows_go_ahead_under_the_lease_only(bench: Bench) -> None:
    bench.enqueue("eu/7", worker="markets")
    (job,) = bench.claim(worker="markets")
    rows = [{"region": "eu", "number": 7, "stall": i, "price": i} for i in range(500)]
    ahead = {"job": job.id, "spec": bench.spec("markets"), "replica": "towns#1", "effect": Effect("market_stall", rows)}
    bench.do(finishing.store_ahead, lease=job.lease, **ahead)
    assert bench.rows("SELECT count(*) AS n, min(lease) AS lease FROM stalls") == [{"n": 500, "lease": job.lease}]
    with pytest.raises(RefusedError):
        bench.do(finishing.store_ahead, lease=job.lease + 1, **ahead)


def test_staged_follow_ups_of_a_job_given_back_are_dropped(bench: Bench) -> None:
    job = claimed(bench)
    rows = [bench.workers.prepare(NewJob(worker="markets", entity="eu/7"))]
    bench.do(stage, job=job.id, lease=job.lease, replica="towns#1", rows=rows)
    bench.give_back(job)
    assert bench.rows("SELECT state FROM batches") == [{"state": "aborted"}]


def test_plain_finishes_are_applied_together(bench: Bench) -> None:
    bench.enqueue("eu/paris")
    bench.enqueue("eu/rome")
    paris, rome = bench.claim(2)
    assert bench.complete(paris, rome, note="well", requests=3) == ["done", "done"]
    row = bench.row(rome.id)
    assert [row[name] for name in ("state", "outcome", "note", "requests", "finished_at", "replica")] == [
        "completed", "done", "well", 3, bench.now, None,
    ]  # fmt: skip  # as the names above


def test_plain_finish_without_its_lease_changes_nothing(bench: Bench) -> None:
    bench.enqueue("eu/paris")
    bench.enqueue("eu/rome")
    paris, rome = bench.claim(2)
    bench.complete(rome)
    bench.give_back(paris)
    (again,) = bench.claim()
    assert bench.complete(paris, rome, again) == ["lost", "already done", "done"]


def test_job_asked_for_meanwhile_follows_a_plain_finish(bench: Bench) -> None:
    job = claimed(bench)
    bench.enqueue("eu/paris")
    bench.complete(job)
    (again,) = bench.claim()
    assert (again.entity, bench.row(job.id)["again_id"]) == ("eu/paris", again.id)


def test_job_may_ask_for_itself_again(bench: Bench) -> None:
    job = claimed(bench)
    bench.finish(job, jobs=[NewJob(worker="towns", entity="eu/paris")])
    assert [again.entity for again in bench.claim()] == ["eu/paris"]


def test_finish_that_writes_both_files_is_refused_and_changes_nothing(bench: Bench) -> None:
    """Cut by a power loss between the two it would be done without its rows."""
    bench.enqueue("eu/7", worker="markets")
    (job,) = bench.claim(worker="markets", replica="markets#1")
    with pytest.raises(UsageError, match=r"market_stall writes market\.db: send its rows ahead with work\.rows"):
        bench.finish(job, effects=[Effect("market_stall", [{"stall": 1, "price": 5}])])
    assert bench.row(job.id)["state"] == "executing"
