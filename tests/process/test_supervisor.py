"""The whole program: real supervisor, database, replicas, against the simulator."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.system import System, World, gatherer, is_alive, simulator, wait_until_ready
from tests.process.leaks import leaks_in

pytestmark = pytest.mark.slow

WORLD = ["--realms", "4", "--characters-per-realm", "500", "--latency-median", "0.03", "--valid", "0.9"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with simulator(tmp_path, CLIENTS, WORLD) as running:
        yield running


def configuration(world: World, **options: Any) -> str:
    return preset("development", world.base_url, world.token_url, paused=("profile", "auctions"), **options)


def eventually(look: Any, *, within_s: float = 20.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
    return seen


def finished(system: System) -> int:
    return int(system.query("SELECT count(*) FROM jobs WHERE state = 'completed'")[0][0])


def states(system: System) -> dict[str, int]:
    return dict(system.query("SELECT state, count(*) FROM jobs WHERE kind = 'characters' GROUP BY state"))


def refused(world: World) -> int:
    return sum(client["by_status"].get("429", 0) for client in world.statistics()["clients"].values())


def child(system: System, name: str) -> int:
    return system.pids()[name]


def test_jobs_become_rows_and_nothing_is_lost_by_a_drain(tmp_path: Path, world: World) -> None:
    characters = world.entities("characters", 400)
    with gatherer(tmp_path, configuration(world)) as system:
        system.enqueue("characters", characters)
        eventually(lambda: finished(system) > 50)
        system.stop()
        assert "executing" not in states(system)
        assert system.query("SELECT count(DISTINCT entity) FROM jobs WHERE provenance = ''")[0][0] >= 400
        attempts = system.query("SELECT max(attempt) FROM jobs")[0][0]
        assert attempts == 0
    with gatherer(tmp_path, configuration(world)) as system:
        eventually(lambda: states(system).get("completed", 0) >= 400)
        stored = system.query("SELECT count(*) FROM characters WHERE summary_success_at IS NOT NULL")[0][0]
        assert stored > 300
    assert refused(world) == 0


def test_killed_replica_is_replaced_and_its_jobs_run_again(tmp_path: Path, world: World) -> None:
    characters = world.entities("characters", 600)
    with gatherer(tmp_path, configuration(world)) as system:
        system.enqueue("characters", characters)
        eventually(lambda: finished(system) > 20)
        others = {pid for name, pid in system.replicas().items() if not name.startswith("characters")}
        os.kill(child(system, "characters#2"), signal.SIGKILL)
        eventually(lambda: states(system).get("completed", 0) >= 600, within_s=60.0)
        assert others <= set(system.pids().values())
    assert refused(world) == 0


def test_killed_database_comes_back_and_replicas_stay(tmp_path: Path, world: World) -> None:
    characters = world.entities("characters", 600)
    with gatherer(tmp_path, configuration(world)) as system:
        system.enqueue("characters", characters)
        eventually(lambda: finished(system) > 20)
        replicas = set(system.replicas().values())
        os.kill(child(system, "database"), signal.SIGKILL)
        eventually(lambda: states(system).get("completed", 0) >= 600, within_s=60.0)
        assert replicas <= set(system.pids().values())
    assert refused(world) == 0


def test_killed_supervisor_leaves_no_process_and_its_successor_goes_on(tmp_path: Path, world: World) -> None:
    characters = world.entities("characters", 600)
    with gatherer(tmp_path, configuration(world)) as system:
        system.enqueue("characters", characters)
        eventually(lambda: finished(system) > 20)
        family = system.processes()
        system.process.kill()
        system.process.wait()
        eventually(lambda: not any(map(is_alive, family)), within_s=1.0)
    with gatherer(tmp_path, configuration(world)) as system:
        eventually(lambda: states(system).get("completed", 0) >= 600, within_s=60.0)
    assert refused(world) == 0


def test_second_supervisor_on_the_same_state_is_refused(tmp_path: Path, world: World) -> None:
    with (
        gatherer(tmp_path, configuration(world)) as first,
        gatherer(tmp_path, configuration(world), ready=False) as two,
    ):
        assert two.process.wait(10) == 1
        assert first.process.poll() is None
    assert "another gatherer runs here" in (tmp_path / "supervisor.log").read_text()


def test_saved_edit_resizes_only_its_pool(tmp_path: Path, world: World) -> None:
    text = configuration(world)
    with gatherer(tmp_path, text) as system:
        before = system.replicas()
        (tmp_path / "config.toml").write_text(text.replace("replicas = 5", "replicas = 3", 1))
        eventually(lambda: "characters#5" not in system.replicas(), within_s=5.0)
        after = system.replicas()
        assert after == {name: pid for name, pid in before.items() if name in after}
        assert {name for name in before if name.startswith("items")} <= set(after)
        (tmp_path / "config.toml").write_text("workers = 7")
        eventually(lambda: not system.daemon.get("/workers")["config"]["last_reload"]["ok"], within_s=5.0)
        assert system.replicas() == after


def test_secrets_stand_in_no_log_status_metric_or_row(tmp_path: Path, world: World) -> None:
    with gatherer(tmp_path, configuration(world)) as system:
        system.enqueue("characters", world.entities("characters", 50))
        eventually(lambda: finished(system) >= 50)
        status = str(system.daemon.get("/workers")) + str(system.daemon.get("/keys"))
        replica = child(system, "characters#1")
        environment = Path(f"/proc/{replica}/environ").read_bytes()
    texts = (tmp_path / "supervisor.log").read_text() + status
    database = sqlite3.connect(tmp_path / "state" / "gatherer.db")
    texts += "\n".join(database.iterdump())
    database.close()
    assert "Bearer" not in texts
    assert list(leaks_in(texts.encode() + environment)) == []


def test_ready_says_why_not(tmp_path: Path, world: World) -> None:
    with gatherer(tmp_path, configuration(world)) as system:
        wait_until_ready(system)
        assert system.daemon.get("/readyz")["ready"]
