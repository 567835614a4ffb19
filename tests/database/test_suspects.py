"""A crash never loses a job, seldom blames one, and ends a poison."""

from supervisor.database.claiming import QUIET_FOR_S
from supervisor.database.suspects import adopt
from tests.database.bench import Bench


def three_towns(bench: Bench) -> None:
    for town in ("a", "b", "c"):
        bench.enqueue(f"eu/{town}")


def test_replica_ended_by_us_gives_its_jobs_back_unblamed(bench: Bench) -> None:
    three_towns(bench)
    bench.claim(3)
    assert bench.exit(crashed=False).released == 3
    assert len(bench.claim(3)) == 3


def test_exit_told_twice_changes_nothing_more(bench: Bench) -> None:
    three_towns(bench)
    (job,) = bench.claim()
    bench.exit()
    assert bench.exit().released == 0
    assert bench.row(job.id)["crashes"] == 1


def test_jobs_of_a_crash_in_company_run_alone_next_time(bench: Bench) -> None:
    three_towns(bench)
    bench.claim(3)
    bench.exit()
    assert [row["suspect"] for row in bench.rows("SELECT suspect FROM jobs")] == [1, 1, 1]
    assert [row["crashes"] for row in bench.rows("SELECT crashes FROM jobs")] == [0, 0, 0]
    (alone,) = bench.claim(3)
    assert bench.claim(3) == []
    bench.finish(alone)
    assert bench.row(alone.id)["suspect"] == 0
    assert len(bench.claim(3)) == 1


def test_busy_replica_is_emptied_for_a_suspect_when_none_is_idle(bench: Bench) -> None:
    bench.enqueue("eu/suspect")
    bench.enqueue("eu/friend")
    bench.claim(2)
    bench.enqueue("eu/busy")
    (busy,) = bench.claim(replica="towns#2")
    bench.exit("towns#1")
    bench.enqueue("eu/next")
    assert bench.claim(replica="towns#2") == []
    bench.finish(busy)
    assert [job.entity for job in bench.claim(replica="towns#2")] == ["eu/suspect"]


def test_other_replicas_go_on_while_one_is_emptied(bench: Bench) -> None:
    for town in ("a", "b"):
        bench.enqueue(f"eu/{town}")
    bench.claim(2)
    for replica in ("towns#2", "towns#3"):
        bench.enqueue(f"eu/{replica[-1]}x")
        bench.claim(replica=replica)
    bench.exit("towns#1")
    bench.enqueue("eu/next")
    assert bench.claim(replica="towns#2") == []
    assert [job.entity for job in bench.claim(replica="towns#3")] == ["eu/next"]


def test_replica_chosen_to_be_emptied_is_not_waited_for_for_ever(bench: Bench) -> None:
    bench.claiming.quiet.is_quiet("towns", "towns#1", bench.now)
    assert not bench.claiming.quiet.is_quiet("towns", "towns#2", bench.now)
    assert bench.claiming.quiet.is_quiet("towns", "towns#2", bench.now + QUIET_FOR_S + 1)


def test_third_crash_alone_is_poison_with_the_evidence(bench: Bench) -> None:
    job = bench.enqueue()
    for _ in range(2):
        bench.claim()
        assert bench.exit().poisoned == ()
    bench.claim()
    ((poisoned, kind, entity, evidence),) = bench.exit(status="signal 9 (out of memory)").poisoned
    assert (poisoned, kind, entity) == (job.id, "towns", "eu/paris")
    row = bench.row(job.id)
    assert (row["state"], row["outcome"], row["error"]) == ("discarded", "poison", evidence)
    assert evidence == "poison: crash 3 alone on towns#1: signal 9 (out of memory)"


def test_crashes_spend_no_attempt(bench: Bench) -> None:
    bench.enqueue()
    bench.claim()
    bench.exit()
    assert bench.claim()[0].attempt == 1


def test_leases_survive_the_database_under_the_same_supervisor(bench: Bench) -> None:
    bench.do(adopt, supervisor="first")
    bench.enqueue()
    (job,) = bench.claim()
    assert bench.do(adopt, supervisor="first") == [("towns#1", job.id, job.lease)]
    assert bench.finish(job) == "done"


def test_poison_keeps_what_was_asked_while_it_ran(bench: Bench) -> None:
    bench.enqueue(priority=2)
    for _ in range(2):
        bench.claim()
        bench.exit()
    (job,) = bench.claim()
    bench.enqueue(priority=0, args={"deep": True}, max_age_s=0.0)
    assert bench.exit().poisoned
    row = bench.row(job.id)
    assert (row["state"], row["priority"], row["args"], row["max_age_s"]) == ("discarded", 0, '{"deep":true}', 0.0)


def test_leases_end_with_their_supervisor_and_no_crash_is_counted(bench: Bench) -> None:
    bench.do(adopt, supervisor="first")
    bench.enqueue()
    (job,) = bench.claim()
    assert bench.do(adopt, supervisor="second") == []
    assert bench.finish(job) == "lost"
    row = bench.row(job.id)
    assert (row["state"], row["crashes"], row["suspect"]) == ("available", 0, 1)


def test_duplicate_asked_for_during_a_crash_is_kept(bench: Bench) -> None:
    job = bench.enqueue()
    bench.claim()
    bench.enqueue(priority=0)
    bench.exit()
    row = bench.row(job.id)
    assert (row["state"], row["priority"], row["again"]) == ("available", 0, None)
