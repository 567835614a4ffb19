"""Dedup: one unfinished job per (worker, entity)."""

import pytest

from supervisor.core.errors import UsageError
from supervisor.core.job import Priority
from tests.database.bench import Bench


def test_new_job_is_available_at_once(bench: Bench) -> None:
    job = bench.enqueue()
    assert (job.state, job.merged) == ("available", False)


def test_job_for_later_is_scheduled(bench: Bench) -> None:
    assert bench.enqueue(run_at=bench.now + 60).state == "scheduled"


def test_entity_is_stored_in_its_canonical_form(bench: Bench) -> None:
    assert bench.enqueue("EU/Zoé").id == bench.enqueue("eu/zoé").id


def test_duplicate_joins_the_waiting_job_and_takes_the_strictest_of_both(bench: Bench) -> None:
    first = bench.enqueue(priority=Priority.BACKGROUND, run_at=2000.0, max_age_s=3600.0, deadline_at=5000.0)
    second = bench.enqueue(priority=Priority.URGENT, max_age_s=0.0, deadline_at=9000.0, args={"deep": True})
    assert second.id == first.id
    assert (second.state, second.merged) == ("available", True)
    row = bench.row(first.id)
    assert (row["priority"], row["run_at"], row["max_age_s"], row["deadline_at"]) == (0, bench.now, 0.0, 9000.0)
    assert row["args"] == '{"deep":true}'


def test_duplicate_that_is_looser_changes_nothing(bench: Bench) -> None:
    first = bench.enqueue(priority=Priority.URGENT, max_age_s=0.0)
    before = bench.row(first.id)
    second = bench.enqueue(priority=Priority.BACKGROUND, max_age_s=60.0, deadline_at=3000.0, run_at=4000.0)
    assert (second.id, second.merged) == (first.id, True)
    assert bench.row(first.id) == before


def test_duplicate_of_a_finished_job_is_a_new_job(bench: Bench) -> None:
    first = bench.enqueue()
    bench.finish(bench.claim()[0])
    second = bench.enqueue()
    assert second.id != first.id
    assert not second.merged


def test_duplicate_while_executing_runs_once_more_after_the_finish(bench: Bench) -> None:
    first = bench.enqueue()
    (job,) = bench.claim()
    assert bench.enqueue(priority=Priority.NORMAL, max_age_s=60.0).state == "executing"
    assert bench.enqueue(priority=Priority.URGENT, args={"deep": True}).id == first.id
    assert bench.claim() == []
    bench.finish(job)
    (again,) = bench.claim()
    assert again.id != first.id
    assert (again.priority, again.max_age_s, again.args) == (0, 60.0, {"deep": True})
    assert bench.row(first.id)["again_id"] == again.id


def test_duplicate_while_executing_is_part_of_the_retry(bench: Bench) -> None:
    first = bench.enqueue(priority=Priority.BACKGROUND)
    (job,) = bench.claim()
    bench.enqueue(priority=Priority.NORMAL)
    bench.finish(job, "retry", after_s=5.0)
    row = bench.row(first.id)
    assert (row["state"], row["priority"], row["again"]) == ("retryable", 1, None)
    assert len(bench.rows("SELECT * FROM jobs")) == 1


@pytest.mark.parametrize("outcome", ["retry", "snooze"])
@pytest.mark.parametrize(
    ("priority", "wait_s"), [(Priority.URGENT, 0), (Priority.NORMAL, 600), (Priority.BACKGROUND, 600)]
)
def test_duplicate_while_executing_cuts_the_wait_short_only_when_urgent(
    bench: Bench, outcome: str, priority: Priority, wait_s: int
) -> None:
    bench.enqueue()
    (job,) = bench.claim()
    bench.enqueue(priority=priority)
    bench.finish(job, outcome, after_s=600.0)
    assert bench.row(job.id)["run_at"] == bench.now + wait_s


def test_backoff_is_cut_short_by_an_urgent_duplicate_only(bench: Bench) -> None:
    bench.enqueue()
    bench.finish(bench.claim()[0], "retry", after_s=60.0)
    assert bench.enqueue(priority=Priority.NORMAL).state == "retryable"
    assert bench.enqueue(priority=Priority.URGENT).state == "available"


def test_counts_follow_every_move(bench: Bench) -> None:
    bench.enqueue("eu/paris")
    bench.enqueue("eu/london", priority=Priority.URGENT)
    (job,) = bench.claim()
    bench.finish(job)
    counts = {(r["state"], r["priority"]): r["n"] for r in bench.rows("SELECT * FROM job_counts WHERE n > 0")}
    assert counts == {("available", 2): 1, ("completed", 0): 1}


def test_entity_that_ends_after_its_region_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="what follows the region is short"):
        bench.enqueue("eu")


def test_region_that_does_not_exist_is_refused(bench: Bench) -> None:
    bench.workers.regions = frozenset({"eu", "us"})
    assert bench.enqueue("us/paris").state == "available"
    with pytest.raises(UsageError, match="there are eu, us"):
        bench.enqueue("xx/paris")
