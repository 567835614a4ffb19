"""Commands that look at or change a running daemon: status, show, jobs, keys, export, pause."""

import json
from pathlib import Path

import pytest

from tests.cli.calling import Call
from tests.control.fake_face import FakeFace


def test_status_shows_what_limits_and_what_is_wrong(call: Call, face: FakeFace) -> None:
    face.reasons = ["no key can be used"]
    text = call("status").output
    header, first = (line for line in text.splitlines() if line.startswith(("WORKER", "characters")))
    assert header.split()[:3] == ["WORKER", "CONCURRENCY", "REPLICAS"]
    assert first.split() == [
        "characters",
        "2",
        "4",
        "of",
        "5",
        "hour",
        "0",
        "4",
        "1,200",
        "31",
        "10",
        "18.2",
        "50",
        "1,090",
        "5",
    ]
    assert "40 of 100 (40 %)" in text
    assert "9,000 of 36,000 (25 %)" in text
    assert "The last edit (10 s ago) is not in force" in text
    assert "config.toml:7: workers.items.replicas" in text
    assert "not ready: no key can be used" in text
    assert "workers.items.concurrency is pinned by ITEMS_WORKER_CONCURRENCY" in text


def test_status_says_which_host_is_down_and_what_that_means(call: Call, face: FakeFace) -> None:
    down = {"host": "eu.example", "state": "down", "down_since": 40.0, "failed": 11, "of": 20, "why": "HTTP 503"}
    face.hosts = [{"host": "us.example", "state": "up"}, down | {"next_probe_in_s": 7.6}]
    text = " ".join(call("status").output.split())
    assert "us.example" not in text
    assert "eu.example is down for 1 min (11 of 20 requests failed, HTTP 503)" in text.replace("1m", "1 min")
    assert "probed again in 8" in text


def test_status_as_json_is_what_the_daemon_says(call: Call, face: FakeFace) -> None:
    assert json.loads(call("status", "--json").output) == face.status()


def test_show_draws_fields_freshness_and_lists(call: Call, face: FakeFace) -> None:
    row = {"name": "Zoé", "level": 80, "guild": None, "summary_success_at": 1.0, "pets_success_at": None}
    row["history"] = '[{"kind": "realm", "before": "a", "after": "b"}]'
    face.entities["eu/a/zoé"] = {"worker": "characters", "entity": "eu/a/zoé", "rows": {"characters_show": [row]}}
    lines = [line.split() for line in call("show", "eu/a/zoé").output.splitlines()]
    assert lines[0] == ["eu/a/zoé", "(characters)"]
    assert ["level", "80"] in lines
    assert ["pets", "never"] in lines
    assert ["HISTORY"] in lines
    assert ["kind", "realm", "before", "a", "after", "b"] in lines


def test_showing_what_nobody_knows_exits_1(call: Call) -> None:
    done = call("show", "eu/a/nobody")
    assert (done.exit_code, "nothing is stored" in done.stderr) == (1, True)


@pytest.fixture
def queue(call: Call, face: FakeFace) -> FakeFace:
    call("enqueue", "characters", *(f"eu/a/n{i}" for i in range(600)))
    call("enqueue", "guilds", "eu/a/g")
    for number in range(1, 11):
        face.jobs[number] |= {"state": "discarded", "outcome": "discard", "error": "attempts spent\nand more"}
    return face


def test_jobs_are_listed_newest_first_over_pages(call: Call, queue: FakeFace) -> None:
    found = json.loads(call("jobs", "list", "--worker", "characters", "--limit", "550", "--json").stdout)
    assert [job["id"] for job in found] == list(range(600, 50, -1))


def test_a_job_list_has_the_first_line_of_each_error(call: Call, queue: FakeFace) -> None:
    lines = call("jobs", "list", "--state", "discarded", "--limit", "2").stdout.splitlines()
    assert lines[0].split() == ["ID", "WORKER", "ENTITY", "PRIORITY", "STATE", "OUTCOME", "CREATED", "WHY"]
    assert lines[1].endswith("attempts spent")
    assert len(lines) == 3


def test_one_job_is_shown_and_an_absent_one_exits_1(call: Call, queue: FakeFace) -> None:
    assert "attempts spent" in call("jobs", "show", "3").output
    assert call("jobs", "show", "9999").exit_code == 1


def test_a_dry_run_changes_nothing(call: Call, queue: FakeFace) -> None:
    done = call("jobs", "retry", "--state", "discarded", "--dry-run")
    assert done.output == "10 jobs match; nothing was changed\n"
    assert queue.jobs[1]["state"] == "discarded"


def test_retry_takes_filters_or_a_number(call: Call, queue: FakeFace) -> None:
    assert call("jobs", "retry", "1").output == "1 of 1 made available\n"
    assert call("jobs", "retry", "--state", "discarded").output == "9 of 9 made available\n"
    assert call("jobs", "retry", "--state", "discarded").exit_code == 1


def test_changing_jobs_needs_a_number_or_a_filter(call: Call, queue: FakeFace) -> None:
    assert call("jobs", "discard").exit_code == 2
    assert call("jobs", "discard", "1", "--worker", "guilds").exit_code == 2
    assert queue.jobs[601]["state"] == "available"


def test_keys_are_listed_and_verified(call: Call) -> None:
    assert "osint-1" in call("keys", "list").output
    assert call("keys", "verify").output == "osint-1: works\n"
    done = call("keys", "verify", "broken")
    assert (done.exit_code, done.output) == (1, "broken: does not work (401)\n")
    assert call("keys", "verify", "nobody").exit_code == 1


def test_key_list_says_what_is_left_and_what_went_wrong_last(call: Call) -> None:
    text = call("keys", "list").output
    assert "LEFT" in text and "27,000" in text
    assert "osint-1: last error 1 min ago: HTTP 429 to characters" in text


def test_keys_are_disabled_enabled_and_unlocked(call: Call, face: FakeFace) -> None:
    assert call("keys", "disable", "osint-1").output == "osint-1: disabled\n"
    assert call("keys", "enable", "osint-1").output == "osint-1: ok\n"
    assert json.loads(call("keys", "unlock", "osint-1", "--json").output)["name"] == "osint-1"
    assert (face.disabled, face.unlocked) == (set(), ["osint-1"])
    done = call("keys", "disable", "nobody")
    assert (done.exit_code, "no key 'nobody'" in done.stderr) == (1, True)


def test_pause_and_resume_name_the_worker(call: Call, face: FakeFace) -> None:
    assert call("pause", "guilds").output == "guilds is paused\n"
    assert face.paused == {"guilds"}
    assert call("resume", "guilds").output == "guilds works\n"
    assert face.paused == set()
    assert call("restart", "guilds").exit_code == 0
    done = call("pause", "nobody")
    assert (done.exit_code, "no worker 'nobody'" in done.stderr) == (1, True)


@pytest.fixture
def table(face: FakeFace) -> FakeFace:
    face.tables["characters"] = (["region", "name"], [["eu", f'n"{i}'] for i in range(2_500)])
    return face


def test_export_writes_csv_in_pages(call: Call, table: FakeFace) -> None:
    lines = call("export", "characters").stdout.splitlines()
    assert (lines[0], lines[1], len(lines)) == ("region,name", 'eu,"n""0"', 2_501)


def test_export_to_a_file_takes_its_form_from_the_name(call: Call, table: FakeFace, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    done = call("export", "characters", "--output", str(path))
    lines = path.read_text().splitlines()
    assert (done.exit_code, len(lines), json.loads(lines[7])["name"]) == (0, 2_500, 'n"7')
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_export_leaves_no_file(call: Call, table: FakeFace, tmp_path: Path) -> None:
    done = call("export", "charcters", "--output", str(tmp_path / "out.csv"))
    assert (done.exit_code, "there are characters" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_text_of_strangers_moves_no_cursor_and_forges_no_line(call: Call, face: FakeFace) -> None:
    hostile = "\x1b]0;owned\x07\n7  characters  eu/a/b\u202e\x9b2J"
    face.entities["eu/a/b"] = {
        "worker": "characters", "entity": "eu/a/b",
        "rows": {"characters_show": [{"name": hostile, "titles": json.dumps([hostile, {"a": hostile}])}]},
    }  # fmt: skip  # as a table
    face.jobs[1] = {"id": 1, "worker": "characters", "entity": "eu/a/b", "priority": "normal", "created_at": 50.0} | {
        "state": "discarded", "error": hostile, "note": hostile, "provenance": hostile}  # fmt: skip
    outputs = [call(*words).output for words in (("show", "eu/a/b"), ("jobs", "list"), ("jobs", "show", "1"))]
    for output in outputs:
        assert "owned" in output
        assert output.replace("\n", "").isprintable()
        assert "\n7  characters" not in output
