"""What the doctor finds, and what it advises."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from supervisor.cli.ailments import findings_of_worker
from supervisor.cli.diagnosis import Finding, Severity, findings_of_program
from supervisor.cli.main import gatherer
from supervisor.cli.top import line_of
from tests.control.fake_face import FakeFace


def worker_of(**more: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "limited_by": "nothing to do",
        "per_s": 50.0,
        "target_per_s": 50.0,
        "tag": "osint",
        "waiting": {"urgent": 0, "normal": 0, "background": 2000},
        "last_minute": {"succeeded": 3000, "failed": 0, "problem": ""},
        "known": 1000,
        "fresh_ratio": 0.97,
        "purge_brake_since": None,
    }
    return settings | more


def key_of(name: str = "osint-1", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "tags": ["osint"],
        "state": "ok",
        "reason": "",
        "statuses": {"characters": {"200": 10}},
    } | more


def status_of(**more: Any) -> dict[str, Any]:
    disk = {"free_bytes": 9e9, "min_free_bytes": 2e9, "bulk_stopped": False, "background_stopped": False}
    settings: dict[str, Any] = {
        "keys": [key_of()],
        "hosts": [],
        "config": {"generation": 3, "last_reload": {"ok": True, "errors": []}},
        "database": {"state": "ready", "reason": "", "commit_p99_s": 0.004, "backlog": 0, "disk": disk},
        "reasons_not_ready": [],
        "uptime_s": 60,
    }
    return settings | more


def ill(findings: Any) -> list[Finding]:
    return [finding for finding in findings if finding.severity is not Severity.OK]


def ailing(**more: Any) -> list[Finding]:
    return ill(findings_of_worker("characters", worker_of(**more)))


def test_a_healthy_program_has_nothing_to_say() -> None:
    assert ill(findings_of_program(status_of())) == []
    assert ailing() == []


def test_background_work_that_waits_on_purpose_is_no_deep_queue() -> None:
    assert ailing(waiting={"urgent": 0, "normal": 0, "background": 50_000}) == []


@pytest.mark.parametrize(
    ("limited_by", "advice"),
    [
        ("concurrency", "gatherer scale characters --concurrency +1"),
        ("hour", "gatherer plan"),
        ("second", "gatherer plan"),
        ("paused", "gatherer resume characters"),
        ("no key", "gatherer keys list"),
        ("database", "faster disk"),
    ],
)
def test_why_is_characters_slow_is_answered_with_what_makes_it_faster(limited_by: str, advice: str) -> None:
    waiting = {"urgent": 0, "normal": 1500, "background": 0}
    depth, throughput = ailing(per_s=12.0, limited_by=limited_by, waiting=waiting)
    assert advice in depth.fix and advice in throughput.fix
    assert (depth.seen, throughput.seen) == ("1,500 wait, 2.08 min of work", "12.0 jobs/s of 50")


def test_slow_is_no_illness_when_nothing_waits() -> None:
    assert ailing(per_s=0.0, waiting={"urgent": 0, "normal": 0, "background": 0}) == []


def test_failures_processes_freshness_and_absences_are_each_named() -> None:
    minute = {"succeeded": 50, "failed": 50, "problem": "HTTP 503"}
    found = ailing(last_minute=minute, degraded=True, last_exit="signal 9", fresh_ratio=0.4, purge_brake_since=7.0)
    checks = [finding.check.partition(": ")[2] for finding in found]
    assert checks == ["failures", "processes", "freshness", "absences"]
    assert "HTTP 503" in found[0].seen and "signal 9" in found[1].seen and "40%" in found[2].seen


def test_an_endpoint_that_cannot_be_read_is_named_with_the_way_out() -> None:
    (finding,) = ailing(braked={"character/mounts": {"for_s": 7200.0, "next_probe_in_s": 12.0}})
    assert finding.check == "characters: character/mounts"
    assert "2 h" in finding.seen
    assert finding.fix.endswith("gatherer jobs retry --worker characters --outcome unparsed")


def test_one_key_less_is_a_warning_and_the_last_of_its_tag_a_problem() -> None:
    out = key_of("osint-2", state="quarantined", reason="the API refused its credentials")
    (finding,) = ill(findings_of_program(status_of(keys=[key_of(), out])))
    assert (finding.severity, finding.fix.split(";")[0]) == (Severity.WARNING, "gatherer keys verify osint-2")
    (finding,) = ill(findings_of_program(status_of(keys=[out])))
    assert finding.severity is Severity.PROBLEM


def test_a_429_is_counted_and_not_blamed_on_concurrency() -> None:
    key = key_of(statuses={"characters": {"200": 98, "429": 2, "not sent": 7}})
    (finding,) = ill(findings_of_program(status_of(keys=[key])))
    assert finding.seen == "2 of 100 answers were 429 (osint-1: 2)"
    assert "use = 0.5" in finding.fix


def test_what_stands_still_is_a_problem() -> None:
    reload = {"ok": False, "errors": ["config.toml:7: workers.items.replicas: expected an integer"]}
    host = {"host": "eu.api", "state": "down", "failed": 20, "of": 20, "why": "HTTP 503"}
    disk = {"free_bytes": 5e8, "min_free_bytes": 2e9, "bulk_stopped": True, "background_stopped": True}
    found = ill(
        findings_of_program(
            status_of(
                reasons_not_ready=["no replica is ready"],
                config={"generation": 3, "last_reload": reload},
                hosts=[host],
                database={"state": "ready", "commit_p99_s": 0.001, "disk": disk},
            )
        )
    )
    assert [finding.check for finding in found] == ["ready", "configuration", "API eu.api", "disk"]
    assert {finding.severity for finding in found} == {Severity.PROBLEM}
    assert all(finding.why and finding.fix for finding in found)


def test_the_command_tells_programs_all_and_people_what_is_wrong(run_dir: Path, face: FakeFace, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[workers.items]\nreplicas = -1\n")
    config.chmod(0o600)
    words = ["doctor", "--config", str(config), "--run-dir", str(run_dir)]
    told = CliRunner().invoke(gatherer, [*words, "--json"])
    assert told.exit_code == 1
    document = json.loads(told.stdout)
    assert document["ok"] is False
    assert {"check", "severity", "seen", "why", "fix"} == set(document["findings"][0])
    shown = CliRunner().invoke(gatherer, words)
    assert f"{config}:2" in shown.stdout
    assert "problem" in shown.stdout and "ok " not in shown.stdout


def test_without_a_daemon_it_says_how_to_start_one(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)
    shown = CliRunner().invoke(gatherer, ["doctor", "--config", str(config)])
    assert shown.exit_code == 1
    assert "gatherer run" in shown.stdout


def test_top_says_in_one_line_how_fast_and_what_limits() -> None:
    status = {"workers": {"items": worker_of(per_s=21.04, limited_by="hour")}, "keys": [key_of(state="parked")]}
    assert line_of(status) == "items 21.0/s (hour); keys: osint-1 parked"


def test_a_damaged_database_is_a_problem_with_its_way_out(tmp_path: Path) -> None:
    config, state = tmp_path / "config.toml", tmp_path / "var"
    config.write_text(
        '[apis.blizzard]\nbase_url = "http://127.0.0.1:9"\ntoken_url = "http://127.0.0.1:9/token"\n'
        '[[keys]]\nname = "a"\ntags = ["osint"]\nclient_id = "x"\nclient_secret = "y"\n'
        '[workers.characters]\njob = "jobs.characters"\ntag = "osint"\n'
    )
    config.chmod(0o600)
    state.mkdir()
    (state / "gatherer.db").write_bytes(b"my diary\n" * 1000)
    shown = CliRunner().invoke(gatherer, ["doctor", "--config", str(config), "--json"])
    (finding,) = (each for each in json.loads(shown.stdout)["findings"] if each["check"] == "database files")
    assert (finding["severity"], "gatherer restore" in finding["seen"]) == ("problem", True)
