"""`gatherer enqueue` and `refresh`: all or nothing, and how waiting ends."""

import json
from pathlib import Path

import pytest

from tests.cli.calling import Call
from tests.control.fake_face import FakeFace


def test_arguments_become_jobs_with_who_asked(call: Call, face: FakeFace) -> None:
    done = call("enqueue", "characters", "eu/a/b", "eu/a/c", "--priority", "urgent", "--max-age", "12h")
    assert (done.exit_code, done.output) == (0, "2 accepted\n")
    assert [job["entity"] for job in face.jobs.values()] == ["eu/a/b", "eu/a/c"]
    job = face.jobs[1]
    assert (job["priority"], job["max_age_s"], job["provenance"].split(" by ")[0]) == ("urgent", 43_200.0, "enqueue")


def test_what_waits_already_is_merged_and_said(call: Call) -> None:
    call("enqueue", "characters", "eu/a/b")
    assert call("enqueue", "characters", "eu/a/b").output == "1 accepted, 1 of them were waiting already\n"


def test_a_pipe_is_read_like_a_file(call: Call, face: FakeFace) -> None:
    assert call("enqueue", "guilds", stdin="eu/a/b\neu/a/c\n").output == "2 accepted\n"
    assert len(face.jobs) == 2


def test_a_large_file_is_staged_and_accepted_as_one(call: Call, face: FakeFace, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("realm,region,name\n" + "".join(f"a,eu,n{i}\n" for i in range(6_000)))
    done = call("enqueue", "characters", "--file", str(path))
    assert (done.exit_code, done.output) == (0, "6,000 accepted\n")
    assert [method for method, _, _ in face.asked] == ["batch.open", "batch.append", "batch.append", "batch.accept"]
    assert face.jobs[6000]["entity"] == "eu/a/n5999"


def test_one_bad_line_late_in_a_large_file_enqueues_nothing(call: Call, face: FakeFace, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("".join(f"eu/a/n{i}\n" for i in range(5_500)) + "alone\n" + '"\n')
    done = call("enqueue", "characters", "--file", str(path))
    assert done.exit_code == 2
    assert "line 5501: entity 'alone': 3 parts" in done.stderr
    assert "nothing was enqueued" in done.stderr
    assert (face.jobs, face.batches) == ({}, {})


def test_a_binary_tail_aborts_the_batch(call: Call, face: FakeFace, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(b"".join(b"eu/a/n%d\n" % i for i in range(2_000)) + b"\x00\xff\n")
    done = call("enqueue", "characters", "--file", str(path))
    assert (done.exit_code, "line 2001: not UTF-8 text" in done.stderr) == (2, True)
    assert (face.jobs, face.batches) == ({}, {})


def test_only_the_first_twenty_faults_are_shown_and_all_are_counted(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{}\n" * 50)
    done = call("enqueue", "characters", "--file", str(path))
    assert done.stderr.count("no entity") == 20
    assert "… and 30 more" in done.stderr


def test_an_empty_file_is_a_mistake(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_text("\n# only a comment\n")
    done = call("enqueue", "characters", "--file", str(path))
    assert (done.exit_code, "no jobs in it" in done.stderr) == (2, True)


def test_the_daemons_faults_carry_line_numbers(call: Call) -> None:
    done = call("enqueue", "characters", "eu/a/b", "d", "c")
    assert done.exit_code == 2
    assert "line 2: entity 'd'" in done.stderr
    assert "line 3: entity 'c'" in done.stderr


def test_a_daemon_without_its_database_is_75(call: Call, face: FakeFace) -> None:
    face.is_away = True
    done = call("enqueue", "characters", "eu/a/b")
    assert (done.exit_code, "the database restarts" in done.stderr) == (75, True)


def test_waiting_prints_each_end_and_fails_with_the_worst(call: Call, face: FakeFace) -> None:
    face.ends = {
        "eu/a/b": {"outcome": "skipped", "note": "fresh 3 h ago"},
        "eu/a/c": {"state": "discarded", "outcome": "discard", "error": "attempts spent"},
    }
    done = call("enqueue", "characters", "eu/a/b", "eu/a/c", "--wait")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "characters eu/a/b: skipped: fresh 3 h ago (--max-age 0)",
        "characters eu/a/c: discard: attempts spent",
    ]


def test_a_wait_that_is_too_short_exits_75_and_the_job_goes_on(call: Call, face: FakeFace) -> None:
    done = call("enqueue", "characters", "eu/a/b", "--wait", "--timeout", "0")
    assert (done.exit_code, "is still available; it goes on" in done.stderr) == (75, True)
    assert face.jobs[1]["state"] == "available"


def test_refresh_is_urgent_and_never_satisfied_by_old_data(call: Call, face: FakeFace) -> None:
    face.ends = {"eu/a/zoé": {"note": "level 80"}}
    done = call("refresh", "eu/a/zoé")
    assert (done.exit_code, done.output) == (0, "characters eu/a/zoé: done: level 80\n")
    assert (face.jobs[1]["priority"], face.jobs[1]["max_age_s"]) == ("urgent", 0)


@pytest.mark.parametrize(
    ("arguments", "worker"),
    [(["eu/a/b", "--worker", "guilds"], "guilds"), (["eu/a/known"], "guilds"), (["eu/18803"], "items")],
)
def test_refresh_finds_the_worker(call: Call, face: FakeFace, arguments: list[str], worker: str) -> None:
    face.entities["eu/a/known"] = {"worker": "guilds", "entity": "eu/a/known", "rows": {}}
    face.ends = {arguments[0]: {}}
    call("refresh", *arguments)
    assert face.jobs[1]["worker"] == worker


def test_a_skip_says_once_how_to_insist(call: Call, face: FakeFace) -> None:
    face.ends = {"eu/a/b": {"outcome": "skipped", "note": "fresh 3 h ago (--max-age 0)"}}
    done = call("enqueue", "characters", "eu/a/b", "--wait")
    assert done.output == "characters eu/a/b: skipped: fresh 3 h ago (--max-age 0)\n"


def test_refresh_of_what_fits_nobody_is_a_usage_error(call: Call, face: FakeFace) -> None:
    done = call("refresh", "a/b/c/d")
    assert (done.exit_code, "3 parts" in done.stderr, face.jobs) == (2, True, {})


def test_refresh_fails_when_its_job_does(call: Call, face: FakeFace) -> None:
    face.ends = {"eu/a/b": {"state": "discarded", "outcome": "unparsed", "error": "character/summary: no level"}}
    done = call("refresh", "eu/a/b", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["outcome"] == "unparsed"
