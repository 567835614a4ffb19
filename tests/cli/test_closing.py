"""The demo's sums: when it is over, and which counts are set against which."""

import io
from typing import Any

from rich.console import Console

from supervisor.cli.closing import Counts, as_json, keys_table, sentences, workers_table
from supervisor.cli.sample import Sample, line


def status(*, waiting: int = 0, executing: int = 0, done: int = 0) -> dict[str, Any]:
    worker = {
        "waiting": {"urgent": 0, "normal": 0, "background": waiting},
        "executing": executing,
        "per_s": 50.0,
        "target_per_s": 50.0,
        "since_start": {"outcomes": {"done": done, "retry": 2}, "requests_saved": 8, "requests_repeated": 1},
    }
    windows = [{"per_s": 1.0, "limit": 100}, {"per_s": 3600.0, "limit": 36_000}]
    return {
        "workers": {"characters": worker},
        "keys": [{"name": "osint-1", "windows": windows, "statuses": {"characters": {"200": 3_605, "not sent": 9}}}],
        "memory_pss_bytes": {"supervisor": 50_000_000, "characters": 200_000_000},
    }


def counts(*, refused: int = 0, completed: int = 1_000) -> Counts:
    sample = Sample(started_at=100.0, seconds=40.0)
    sample.look(status(waiting=10, executing=10), 100.0)
    sample.look(status(waiting=10, executing=10, done=990), 120.0)
    client = {"requests": 3_605, "by_status": {"200": 3_600, "429": refused}, "peak_second": 98, "hour": 3_604}
    return Counts(
        sample=sample,
        status=status(done=1_000),
        queues={"characters": {"counts": {"completed": completed, "available": 50, "retryable": 7}}},
        judge={"clients": {"demo-osint-1": client}},
    )


def drawn(*parts: Any) -> list[list[str]]:
    stream = io.StringIO()
    console = Console(file=stream, width=160)
    for part in parts:
        console.print(part)
    return [row.split() for row in stream.getvalue().splitlines()]


def test_a_sample_is_over_when_its_time_is_up() -> None:
    sample = Sample(started_at=100.0, seconds=40.0)
    sample.look(status(waiting=1), 139.0)
    assert not sample.is_over
    sample.look(status(waiting=1), 140.0)
    assert sample.is_over


def test_a_sample_is_over_when_nothing_was_left_for_a_while() -> None:
    sample = Sample(started_at=100.0, seconds=40.0)
    sample.look(status(), 106.0)  # nothing has ended yet: it is only starting
    sample.look(status(done=5), 107.0)
    sample.look(status(done=5), 110.9)
    assert not sample.is_over
    sample.look(status(done=5), 111.0)
    assert sample.is_over


def test_work_that_appears_again_keeps_the_sample_going() -> None:
    sample = Sample(started_at=100.0, seconds=40.0)
    sample.look(status(done=5), 107.0)
    sample.look(status(done=5, waiting=3), 109.0)
    sample.look(status(done=8), 112.0)
    assert not sample.is_over


def test_rates_count_only_the_time_with_work() -> None:
    sample = Sample(started_at=100.0, seconds=40.0)
    sample.look(status(), 105.0)
    sample.look(status(executing=1), 115.0)
    assert sample.busy_s == {"characters": 10.0}


def test_the_workers_table_has_the_databases_jobs_and_what_is_left() -> None:
    row = drawn(workers_table(counts()))[-1]
    assert row == ["characters", "1,000", "1,000", "0", "0", "0", "50.0", "50", "57"]


def test_the_keys_table_is_the_simulators_view_in_shares_of_the_limits() -> None:
    assert drawn(keys_table(counts()))[-1] == ["osint-1", "3,605", "98", "98", "%", "10", "%", "0"]


def test_kept_promises_are_said_and_exit_well() -> None:
    good = counts()
    text = "\n".join(sentences(good))
    assert "3,605 requests, 3.60 a job, by the simulator's count; 3,605 by ours" in text
    assert "250 MB of memory" in text
    assert good.is_good
    assert as_json(good)["ok"] is True


def test_one_429_by_the_simulators_count_breaks_the_promise() -> None:
    assert not counts(refused=1).is_good


def test_a_job_told_completed_that_the_database_does_not_have_is_lost() -> None:
    lossy = counts(completed=998)
    assert (lossy.lost, lossy.is_good) == (2, False)
    assert "A PROMISE WAS BROKEN." in list(sentences(lossy))


def test_progress_without_a_terminal_is_one_line() -> None:
    sample = Sample(started_at=100.0, seconds=40.0)
    now = status(waiting=1_200, done=480)
    sample.look(now, 110.0)
    assert line(sample, now) == "  10 s  characters 480 (50.0/s), 1,200 waiting"
