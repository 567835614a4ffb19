"""Claims: order, leases, context."""

from supervisor.core.job import Effect, Priority
from supervisor.database.claiming import Ask, Claiming
from tests.database.bench import Bench


def test_claim_takes_most_urgent_first_then_oldest(bench: Bench) -> None:
    bench.enqueue("eu/a")
    bench.now += 1
    bench.enqueue("eu/b")
    bench.enqueue("eu/c", priority=Priority.URGENT)
    assert [job.entity for job in bench.claim(3)] == ["eu/c", "eu/a", "eu/b"]


def test_claim_takes_only_its_own_worker(bench: Bench) -> None:
    bench.enqueue("eu/1", worker="markets")
    assert bench.claim(5) == []


def test_claimed_job_knows_its_parts_and_its_context(bench: Bench) -> None:
    bench.enqueue("eu/paris")
    (job,) = bench.claim()
    assert (job.parts, job.context, job.attempt) == ({"region": "eu", "town": "paris"}, {}, 1)
    bench.finish(job, effects=[Effect("town_weather", [{"weather": "rain"}])])
    bench.enqueue("eu/paris")
    (job,) = bench.claim()
    assert job.context == {"weather": "rain", "success_at": bench.now}


def test_no_lease_is_ever_given_twice(bench: Bench) -> None:
    bench.enqueue("eu/a")
    bench.enqueue("eu/b")
    first, second = bench.claim(2)
    bench.give_back(first)
    (again,) = bench.claim()
    bench.claiming = Claiming()  # as after a restart
    bench.enqueue("eu/c")
    (after_restart,) = bench.claim()
    assert len({first.lease, second.lease, again.lease, after_restart.lease}) == 4


def test_job_past_its_deadline_is_not_claimed(bench: Bench) -> None:
    bench.enqueue(deadline_at=bench.now + 10)
    bench.now += 11
    assert bench.claim() == []


def test_job_given_back_is_first_again_and_has_spent_no_attempt(bench: Bench) -> None:
    bench.enqueue("eu/a")
    bench.now += 1
    bench.enqueue("eu/b")
    (job,) = bench.claim()
    assert bench.give_back(job) == "done"
    (again,) = bench.claim()
    assert (again.entity, again.attempt) == ("eu/a", 1)
    assert bench.give_back(job) == "lost"


def test_claims_that_are_served_together_share_what_waits_in_their_order(bench: Bench) -> None:
    for name in "abc":
        bench.enqueue(f"eu/{name}")
    asks = [Ask("towns#1", 2), Ask("towns#2", 3), Ask("towns#3", 1)]
    first, second, third = bench.do(bench.claiming.claim, asks=asks, spec=bench.spec())
    assert [[job.entity for job in jobs] for jobs in (first, second, third)] == [["eu/a", "eu/b"], ["eu/c"], []]
    assert {row["replica"] for row in bench.rows("SELECT replica FROM jobs")} == {"towns#1", "towns#2"}
    assert bench.row(second[0].id)["replica"] == "towns#2"


def test_lease_number_of_a_lost_transaction_is_not_used_again_after_a_restart(bench: Bench) -> None:
    bench.enqueue("eu/a")
    bench.db.execute("BEGIN IMMEDIATE")
    bench.claiming.claim(bench.db, bench.now, asks=[Ask("towns#1", 1)], spec=bench.spec())
    bench.db.execute("ROLLBACK")  # as a full disk does, with the block of numbers that was reserved in it
    (job,) = bench.claim()
    bench.give_back(job)
    bench.claiming = Claiming()
    (after_restart,) = bench.claim()
    assert after_restart.lease > job.lease
