"""An API that is down for a while: no job is discarded for it, status says it, and work goes on by itself."""

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.system import World, gatherer, simulator
from tests.process.test_keys import completed, eventually

pytestmark = pytest.mark.slow

WORLD = ["--realms", "4", "--characters-per-realm", "500", "--latency-median", "0.03"]
DOWN = [{"match": "", "do": "status", "status": 503}]
MOST_ATTEMPTS = 1
"""What a job that ran when the outage began may have spent."""


def configuration(world: World) -> str:
    document = tomlkit.parse(preset("development", world.base_url, world.token_url))
    document["workers"] = {"characters": document["workers"]["characters"]}
    document["workers"]["characters"]["max_attempts"] = 2
    return tomlkit.dumps(document)


def test_an_outage_spends_no_attempts_is_shown_and_ends_by_itself(tmp_path: Path) -> None:
    with simulator(tmp_path, CLIENTS, WORLD) as world, gatherer(tmp_path, configuration(world)) as system:
        system.enqueue("characters", world.entities("characters", 600))
        eventually(lambda: completed(system) > 50)
        world.post("faults", DOWN)

        def outage() -> Any:
            return [host for host in system.daemon.get("/workers")["hosts"] if host["state"] == "down"]

        assert eventually(outage)[0]["why"] == "HTTP 503"
        asked = requests(world)
        eventually(lambda: requests(world) > asked)
        status = system.daemon.get("/workers")
        assert status["workers"]["characters"]["limited_by"] == "api down"
        assert status["workers"]["characters"]["queue"].get("available", 0) > 200
        world.post("faults", [])
        eventually(lambda: not outage())
        eventually(lambda: completed(system) >= 580, within_s=60.0)
        assert system.query("SELECT count(*) FROM jobs WHERE state = 'discarded'") == [(0,)]
        assert system.query("SELECT max(attempt) FROM jobs")[0][0] <= MOST_ATTEMPTS


def requests(world: World) -> int:
    return sum(client["requests"] for client in world.statistics()["clients"].values())
