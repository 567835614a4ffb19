"""The guide's call against the whole program: real supervisor, database, replicas."""

import json
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.system import System, World, gatherer, simulator
from supervisor.core.errors import RefusedError
from tests.process.test_supervisor import eventually, finished, refused, states

pytestmark = pytest.mark.slow

WORLD = ["--realms", "4", "--characters-per-realm", "500", "--latency-median", "0.03", "--valid", "0.9"]
CALL = """curl -X POST http://localhost:8000/workers/concurrency \\
  -H "Content-Type: application/json" \\
  -d '{"worker":"characters","concurrency":3,"replicas":8}'"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with simulator(tmp_path, CLIENTS, WORLD) as running:
        yield running


def configuration(world: World, edits: str = "file") -> str:
    text = preset("development", world.base_url, world.token_url, paused=("profile", "auctions"))
    text = text.replace("[server]", f'[server]\nedits = "{edits}"')
    return text.replace("[workers.characters]", "# Ours.\n[workers.characters] # the OSINT keys' main work")


def port_of(system: System) -> int:
    lines = (system.folder / "supervisor.log").read_text().splitlines()
    return next(int(json.loads(line)["port"]) for line in lines if '"control_started"' in line)


def curl(system: System, command: str) -> Any:
    arguments = shlex.split(command.replace("\\\n", " ").replace(":8000", f":{port_of(system)}"))
    return json.loads(subprocess.run([*arguments, "--silent"], check=True, capture_output=True).stdout)


def scale(system: System, **asked: Any) -> Any:
    return system.daemon.post("/workers/concurrency", body={"worker": "characters"} | asked)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_guides_call_is_in_force_when_it_answers_and_loses_nothing(tmp_path: Path, world: World) -> None:
    text = configuration(world)
    characters = world.entities("characters", 600)
    with gatherer(tmp_path, text) as system:
        system.enqueue("characters", characters)
        others, first = system.replicas("guilds"), system.replicas("characters")
        answer = curl(system, CALL)
        now = system.replicas("characters")
        assert answer["desired"] == answer["effective"] == {"concurrency": 3, "replicas": 8}
        assert (answer["in_force"], answer["warnings"], answer["took_ms"] > 0) == (True, [], True)
        assert len(now) == 8
        assert first.items() <= now.items()
        written = (tmp_path / "config.toml").read_text()
        assert written == text.replace("concurrency = 2\n", "concurrency = 3\nreplicas = 8\n", 1)
        assert "# Ours.\n[workers.characters] # the OSINT keys' main work" in written
        assert system.daemon.get("/workers")["config"]["generation"] == 2
        assert scale(system, replicas=2, concurrency="-1")["effective"] == {"concurrency": 2, "replicas": 2}
        eventually(lambda: states(system).get("completed", 0) >= 600, within_s=60.0)
        eventually(lambda: len(system.replicas("characters")) == 2)
        assert system.replicas("characters").items() <= now.items()
        assert system.replicas("guilds") == others
        assert system.query("SELECT max(attempt) FROM jobs")[0][0] == 0
        assert finished(system) >= 600
    assert refused(world) == 0


def test_what_is_refused_changes_nothing(tmp_path: Path, world: World) -> None:
    with gatherer(tmp_path, configuration(world, edits="refuse")) as system:
        text = (tmp_path / "config.toml").read_text()
        with pytest.raises(RefusedError, match="edits"):
            scale(system, replicas=1)
        (tmp_path / "config.toml").write_text(text.replace('"refuse"', '"file"'))
        eventually(lambda: system.daemon.get("/workers")["config"]["generation"] == 2)
        (tmp_path / "config.toml").chmod(0o400)
        with pytest.raises(RefusedError, match="read-only"):
            scale(system, replicas=1)
        (tmp_path / "config.toml").chmod(0o600)
        (tmp_path / "config.toml").write_text("[[broken")
        with pytest.raises(RefusedError, match=r"config.toml:1: is not TOML.*"):
            scale(system, replicas=1)
        assert (tmp_path / "config.toml").read_text() == "[[broken"
        assert len(system.replicas("characters")) == 5


def test_overrides_leave_the_file_and_hold_over_a_restart(tmp_path: Path, world: World) -> None:
    text = configuration(world, edits="overrides")
    with gatherer(tmp_path, text) as system:
        assert scale(system, replicas=3)["kept_in"] == [str(tmp_path / "state" / "overrides.toml")]
        assert (tmp_path / "config.toml").read_text() == text
    with gatherer(tmp_path, text) as system:
        assert len(system.replicas("characters")) == 3


def test_what_the_environment_pins_holds_for_this_run(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARACTERS_WORKER_CONCURRENCY", "4")
    text = configuration(world)
    with gatherer(tmp_path, text) as system:
        answer = scale(system, concurrency="+1")
        assert answer["effective"]["concurrency"] == 5
        assert answer["kept_in"] == ["this run"]
        assert "pinned by CHARACTERS_WORKER_CONCURRENCY" in answer["warnings"][0]
        assert (tmp_path / "config.toml").read_text() == text


def test_a_worker_paused_in_the_file_is_resumed_there(tmp_path: Path, world: World) -> None:
    with gatherer(tmp_path, configuration(world)) as system:
        assert system.daemon.post("/workers/profile/resume")["paused"] is False
        assert tomllib.loads((tmp_path / "config.toml").read_text())["workers"]["profile"]["paused"] is False
        assert system.daemon.post("/workers/profile/pause")["paused"] is True
        assert tomllib.loads((tmp_path / "config.toml").read_text())["workers"]["profile"]["paused"] is False
