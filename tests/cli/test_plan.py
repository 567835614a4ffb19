"""`gatherer plan`: without a daemon, with one, and the guide's own numbers."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.cli.main import gatherer
from supervisor.cli.plan_guide import against_the_guide
from supervisor.settings.shipped import FOLDER
from tests.control.fake_face import FakeFace

DEVELOPMENT, PRODUCTION = str(FOLDER / "development.toml"), str(FOLDER / "production.toml")


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(gatherer, ["plan", *arguments])
    assert done.exit_code == 0, done.output
    return done


def test_a_preset_is_planned_without_secrets_and_without_a_daemon() -> None:
    lines = run("--config", DEVELOPMENT, "--nominal").stdout.splitlines()
    assert any(line.split()[:4] == ["osint", "5", "500/s", "6"] for line in lines)
    assert any(line.startswith("characters: 50 jobs/s are wanted") for line in lines)
    assert any(line.startswith("1 KEY: Blizzard's terms allow one client per region (eu)") for line in lines)


@pytest.mark.parametrize("preset", [DEVELOPMENT, PRODUCTION])
def test_tables_fit_a_narrow_terminal(preset: str) -> None:
    lines = run("--config", preset, "--nominal").stdout.splitlines()
    table = lines[lines.index("") + 1 : [n for n, line in enumerate(lines) if line.startswith("REQ ")][0]]
    assert len(table) == 12
    assert max(len(line.rstrip()) for line in table) <= 80


def test_the_plan_is_json_for_programs() -> None:
    found = json.loads(run("--config", DEVELOPMENT, "--nominal", "--json").stdout)
    assert [tag["tag"] for tag in found["tags"]] == ["osint", "dma", "any"]
    assert found["workers"][0]["cost"] == {
        "requests": 5.0, "job_s": pytest.approx(0.2652), "round_trip_s": 0.1, "offered_per_s": None, "measured_jobs": 0,
    }  # fmt: skip  # one value, one line


def test_a_slower_api_needs_more_at_once() -> None:
    fast, slow = (json.loads(run("--config", DEVELOPMENT, "--nominal", "--json", "--latency", each).stdout)
                  for each in ("50ms", "800ms"))  # fmt: skip  # one comparison
    assert fast["workers"][0]["concurrency_needed"] < slow["workers"][0]["concurrency_needed"]


def test_a_running_daemon_tells_what_its_jobs_take(run_dir: Path, face: FakeFace) -> None:
    face.since_start["characters"] = {
        "outcomes": {"done": 900, "gone": 100},
        "job_seconds": {"sum": 350.0, "count": 1000},
        "round_trip_seconds": {"sum": 480.0, "count": 4000},
        "permit_wait_seconds": {"sum": 0.0, "count": 3000},
    }
    done = run("--config", DEVELOPMENT, "--run-dir", str(run_dir))
    assert "planned with what was measured of characters (1,000 jobs); the others with nominal" in done.stdout
    assert any(line.split()[:4] == ["characters", "4", "355", "ms"] for line in done.stdout.splitlines())


def test_the_guides_figures_come_out_as_the_guide_says() -> None:
    figures = against_the_guide().figures
    assert {figure.guide for figure in figures} == {350, 70, 87.5, 61, 12, 175, 122, 35, 24}
    assert [figure.what for figure in figures if figure.guide != figure.plan] == []


@pytest.mark.parametrize(
    "said",
    [
        "10 characters/s × 5 replicas × 2 concurrency is 100, not 60",
        "100–150 characters/s in production need 400–600 requests/s; 5 keys give 350 by the guide, 500 at most",
        "36,000 requests are 10/s",
        "is spent after 8.57 min of each hour; for ever 5 keys give 50 requests/s, which is 12.5 characters/s",
        "61 characters/s are 49% of it",
        "61 characters/s and 122 guilds/s together need 488 requests/s of 350",
    ],
)
def test_the_guides_contradictions_are_named(said: str) -> None:
    assert said in run("--guide").stdout


def test_the_guide_is_json_for_programs() -> None:
    found = json.loads(run("--guide", "--json").stdout)
    assert len(found["contradictions"]) == 8


def test_a_broken_configuration_is_told_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[workers.items]\nreplicas = -1\n")
    done = CliRunner().invoke(gatherer, ["plan", "--config", str(config)])
    assert done.exit_code == 78
    assert f"{config}:2: workers.items.replicas" in done.stderr
