"""`gatherer import-env` with the guide's own variables and the shipped presets."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.cli.main import gatherer
from supervisor.settings.shipped import shipped

GUIDE = """# Higher concurrency and replicas for better throughput and redundancy
CHARACTERS_WORKER_CONCURRENCY=3
GUILDS_WORKER_CONCURRENCY=2
PROFILE_WORKER_CONCURRENCY=1
AUCTIONS_WORKER_CONCURRENCY=3
ITEMS_WORKER_CONCURRENCY=7

OSINT_REPLICAS=8
DMA_REPLICAS=3
REDIS_HOST=localhost
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(shipped("development.toml"))
    return path


def import_env(config: Path, text: str, *more: str) -> Result:
    file = config.parent / "stack.env"
    file.write_text(text)
    return CliRunner().invoke(gatherer, ["import-env", str(file), "--config", str(config), *more])


def sizes(text: str) -> dict[str, int]:
    content = tomllib.loads(text)
    found = {f"{name}.concurrency": worker.get("concurrency", 1) for name, worker in content["workers"].items()}
    return found | {f"{name}.replicas": tag["replicas"] for name, tag in content["tags"].items()}


def test_the_guides_production_variables_make_development_into_production(config: Path) -> None:
    before = config.read_text()
    done = import_env(config, GUIDE, "--write")
    assert done.exit_code == 0, done.output
    assert sizes(config.read_text()) == sizes(shipped("production.toml"))
    assert len(config.read_text().splitlines()) == len(before.splitlines())
    assert "7 settings written" in done.stdout
    assert "left where they are: REDIS_HOST" in done.stderr
    assert "were there already" in import_env(config, GUIDE, "--write").stdout


def test_without_write_it_prints_toml_and_touches_nothing(config: Path) -> None:
    before = config.read_text()
    done = import_env(config, GUIDE)
    assert tomllib.loads(done.stdout)["tags"] == {"osint": {"replicas": 8}, "dma": {"replicas": 3}}
    assert config.read_text() == before


def test_a_workers_own_replicas_stay_and_that_is_said(config: Path) -> None:
    text = config.read_text().replace("[workers.guilds]\n", "[workers.guilds]\nreplicas = 2\n")
    config.write_text(text)
    assert "workers.guilds.replicas = 2 stays above tags.osint.replicas" in import_env(config, GUIDE).stderr


@pytest.mark.parametrize(
    ("text", "exit_code", "sentence"),
    [
        ("A=1\n", 2, "none of its variables is a setting"),
        ("OSINT_REPLICAS=many\n", 2, "expected a number"),
        ("OSINT_REPLICAS=65\n", 78, "tags.osint.replicas: expected an integer from 0 to 64"),
        ("what\n", 2, "stack.env:1: expected NAME=value"),
    ],
)
def test_what_cannot_be_taken_changes_nothing(config: Path, text: str, exit_code: int, sentence: str) -> None:
    before = config.read_text()
    done = import_env(config, text, "--write")
    assert (done.exit_code, sentence in done.stderr) == (exit_code, True), done.output
    assert config.read_text() == before
