"""Keys that people change under load: a secret is rotated, a key is disabled. Real processes, the simulator judges."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from scripts.benchmarks.configuration import CLIENTS, SECRET, preset
from scripts.benchmarks.system import System, World, gatherer, simulator

pytestmark = pytest.mark.slow

WORLD = ["--realms", "4", "--characters-per-realm", "500", "--latency-median", "0.03", "--fresh-tokens"]
IN_FORCE_S = 1.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with simulator(tmp_path, CLIENTS, WORLD) as running:
        yield running


def configuration(world: World, folder: Path) -> str:
    """Return a configuration whose first key has its secret in a file: one worker, so that it starts soon."""
    document = tomlkit.parse(preset("development", world.base_url, world.token_url))
    document["workers"] = {"characters": document["workers"]["characters"]}
    first = document["keys"][0]
    del first["client_secret"]
    first["client_secret_file"] = str(folder / "one.secret")
    write_secret(folder, SECRET)
    return tomlkit.dumps(document)


def write_secret(folder: Path, secret: str) -> None:
    fresh = folder / "fresh.secret"
    fresh.touch(mode=0o600)
    fresh.write_text(secret)
    fresh.replace(folder / "one.secret")


def eventually(look: Any, *, within_s: float = 30.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
    return seen


def key_of(system: System, name: str) -> dict[str, Any]:
    return next(key for key in system.daemon.get("/keys")["keys"] if key["name"] == name)


def served(world: World, client: str) -> dict[str, int]:
    found: dict[str, int] = world.statistics()["clients"][client]["by_status"]
    return found


def completed(system: System) -> int:
    return int(system.query("SELECT count(*) FROM jobs WHERE state = 'completed' AND kind = 'characters'")[0][0])


def test_a_secret_rotated_under_load_fails_no_request(tmp_path: Path, world: World) -> None:
    characters = world.entities("characters", 1_000)
    with gatherer(tmp_path, configuration(world, tmp_path)) as system:
        system.enqueue("characters", characters)
        eventually(lambda: completed(system) > 50)
        world.post("secret", {"client": "osint-1", "secret": "the next one"})
        write_secret(tmp_path, "the next one")
        log = tmp_path / "supervisor.log"
        eventually(lambda: sum('"osint-1"' in line for line in tokens_in(log)) == 2)
        before = served(world, "osint-1").get("200", 0)
        eventually(lambda: completed(system) >= 1_000, within_s=60.0)
        assert served(world, "osint-1")["200"] > before, "the new token serves"
        statuses = served(world, "osint-1")
        assert not {"401", "403", "429"} & statuses.keys(), statuses
        assert system.query("SELECT max(attempt) FROM jobs")[0][0] == 0
        assert key_of(system, "osint-1")["state"] == "ok"


def tokens_in(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if "token_obtained" in line]


def test_a_disabled_key_is_left_alone_at_once_and_over_a_restart(tmp_path: Path, world: World) -> None:
    characters = world.entities("characters", 2_000)
    text = configuration(world, tmp_path)
    with gatherer(tmp_path, text) as system:
        system.enqueue("characters", characters)
        eventually(lambda: served(world, "osint-1").get("200", 0) > 20)
        assert system.daemon.post("/keys/osint-1/disable")["state"] == "disabled"
        time.sleep(IN_FORCE_S)
        asked, others = served(world, "osint-1"), served(world, "osint-2")["200"]
        eventually(lambda: served(world, "osint-2")["200"] > others + 20)
        assert served(world, "osint-1") == asked
    with gatherer(tmp_path, text) as system:
        assert key_of(system, "osint-1")["state"] == "disabled"
        others = served(world, "osint-2")["200"]
        eventually(lambda: served(world, "osint-2")["200"] > others + 20)
        assert served(world, "osint-1") == asked
        system.daemon.post("/keys/osint-1/enable")
        eventually(lambda: served(world, "osint-1")["200"] > asked["200"])
        assert system.query("SELECT max(attempt) FROM jobs")[0][0] == 0
