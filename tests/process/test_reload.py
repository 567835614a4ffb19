"""The real program follows its file: what an edit names changes, everything else keeps its processes.

Failures of others stand here as tests: gunicorn's master exits over a broken file and forgets a scale at the next
reload (benoitc/gunicorn#716); circus answers "ok" to one; Supervisor stops a whole group for a new number
(Supervisor/supervisor#177); pm2 kills what works when it scales down (Unitech/pm2#5033).
"""

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.breaking import broken_edits
from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.rescaling import Editor, is_sized, killed_at_work, look, pids
from scripts.benchmarks.system import System, World, gatherer, simulator
from tests.process.test_supervisor import eventually

pytestmark = pytest.mark.slow

WORLD = ["--realms", "4", "--characters-per-realm", "500", "--latency-median", "0.03", "--valid", "0.9"]
CHARACTERS = ("workers", "characters")

Sized = Callable[[dict[str, Any]], bool]


class Scene:
    """A running program, its file, and an editor for it."""

    def __init__(self, folder: Path, system: System, world: World) -> None:
        self.folder = folder
        self.system = system
        self.world = world
        self.path = folder / "config.toml"
        self.editor = Editor(self.path, random.Random(1))

    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.system.daemon.get("/workers")["config"]
        return found

    def becomes(self, sized: Sized, worker: str = "characters") -> None:
        eventually(lambda: sized(look(self.system, worker)))

    def processes(self, worker: str) -> dict[str, int]:
        return pids(self.system)[worker]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with simulator(tmp_path, CLIENTS, WORLD) as world:
        text = preset("development", world.base_url, world.token_url, paused=("profile", "auctions"))
        with gatherer(tmp_path, text) as system:
            yield Scene(tmp_path, system, world)


def test_sizes_follow_and_only_the_named_pool_is_touched(scene: Scene) -> None:
    scene.system.enqueue("characters", scene.world.entities("characters", 1000))
    before = pids(scene.system)
    scene.editor.set(CHARACTERS, "concurrency", 3)
    scene.becomes(is_sized(3, 5))
    assert pids(scene.system) == before
    [change] = scene.config()["last_reload"]["changes"]
    assert change == "workers.characters.concurrency: 2 → 3 (resized in place)"
    scene.editor.set(CHARACTERS, "replicas", 8)
    scene.becomes(is_sized(3, 8))
    assert before["characters"].items() <= scene.processes("characters").items()
    scene.editor.set(CHARACTERS, "replicas", 2)
    scene.becomes(is_sized(3, 2))
    after = pids(scene.system)
    assert {**after, "characters": {}} == {**before, "characters": {}}
    assert set(after["characters"].items()) <= set(before["characters"].items()), "older ones stay"
    assert not killed_at_work(scene.folder)
    assert len(scene.system.query("SELECT 1 FROM jobs WHERE kind = 'characters'")) >= 1000


def test_edits_on_top_of_an_unfinished_one_end_in_what_the_file_says(scene: Scene) -> None:
    """Growing, shrinking and a rolling restart begin before the one before has ended."""
    scene.system.enqueue("characters", scene.world.entities("characters", 500))
    first = scene.processes("characters")
    scene.editor.set(CHARACTERS, "environment", {"ROUND": "1"})
    eventually(lambda: scene.config()["generation"] == 2)
    for replicas in (8, 1, 6, 4):
        scene.editor.set(CHARACTERS, "replicas", replicas)
        eventually(lambda n=replicas: look(scene.system, "characters")["desired"]["replicas"] == n)
    scene.editor.set(CHARACTERS, "environment", {"ROUND": "2"})
    eventually(lambda: scene.config()["generation"] == 7)
    scene.becomes(is_sized(2, 4))
    eventually(lambda: not set(first.values()) & set(scene.processes("characters").values()))
    scene.becomes(is_sized(2, 4))
    assert not killed_at_work(scene.folder)


def test_what_needs_no_process_is_in_force_at_once_and_touches_none(scene: Scene) -> None:
    """Limits, keys, targets, schedules, retention and log, in one saved file."""
    before = pids(scene.system)
    document = scene.editor.document
    document["apis"]["blizzard"]["use"] = 0.5
    del document["keys"][4]
    document["schedules"] = {"soon": {"worker": "index", "args": {"of": "realms"}, "every": "1d"}}
    document["retention"] = {"jobs_completed": "2h"}
    document["log"] = {"level": "debug"}
    scene.editor.set(CHARACTERS, "target_per_s", 33)
    eventually(lambda: look(scene.system, "characters")["target_per_s"] == 33)
    keys = scene.system.daemon.get("/keys")["keys"]
    assert [key["name"] for key in keys] == ["osint-1", "osint-2", "osint-3", "osint-4", "dma-1"]
    assert {window["limit"] for key in keys for window in key["windows"]} == {50}
    eventually(lambda: scene.system.query("SELECT count(*) FROM jobs WHERE kind = 'index'")[0][0] == 1)
    changes = scene.config()["last_reload"]["changes"]
    assert {change.split(":")[0] for change in changes} == {
        "apis.blizzard.use", "keys.osint-5", "workers.characters.target_per_s", "schedules.soon",
        "retention.jobs_completed", "log.level",
    }  # fmt: skip  # a set of names
    assert pids(scene.system) == before


def test_what_waits_for_a_restart_is_said_and_the_rest_of_the_edit_is_in_force(scene: Scene) -> None:
    scene.editor.document["server"]["listen"] = "127.0.0.1:1"
    scene.editor.set(CHARACTERS, "concurrency", 4)
    scene.becomes(is_sized(4, 5))
    [sentence] = scene.config()["needs_restart"]
    assert sentence == "server.listen is 127.0.0.1:0 until a restart, then 127.0.0.1:1"
    scene.editor.set(("server",), "listen", "127.0.0.1:0")
    eventually(lambda: scene.config()["needs_restart"] == [])


def test_no_broken_file_is_noticed_by_any_pool_and_each_is_named_with_its_line(scene: Scene) -> None:
    good, before = scene.path.read_bytes(), pids(scene.system)
    for each in broken_edits(good, scene.path, 26, random.Random(7)):
        known = scene.config()["last_reload"]["at"]
        if each.content is None:
            scene.path.unlink()
        else:
            scene.editor.write(each.content)
        eventually(lambda at=known: scene.config()["last_reload"]["at"] != at)
        reload = scene.config()["last_reload"]
        assert not reload["ok"], each
        assert [error for error in reload["errors"] if not re.match(each.expected(scene.path), error)] == [], each
        assert pids(scene.system) == before, each
    scene.path.unlink(missing_ok=True)
    scene.path.mkdir()
    eventually(lambda: "is a folder" in str(scene.config()["last_reload"]["errors"]))
    scene.path.rmdir()
    scene.editor.write(good)
    scene.path.chmod(0o600)
    eventually(lambda: scene.config()["last_reload"]["ok"])
    assert (pids(scene.system), scene.config()["generation"]) == (before, 1)


def test_a_signal_reads_the_file_again_and_insists(scene: Scene) -> None:
    del scene.editor.document["workers"]["profile"]
    scene.editor.set(CHARACTERS, "weight", 5)
    eventually(lambda: "workers.profile vanished" in str(scene.config()["last_reload"]["errors"]))
    assert "profile" in pids(scene.system)
    os.kill(scene.system.process.pid, signal.SIGHUP)
    eventually(lambda: "profile" not in scene.system.daemon.get("/workers")["workers"])
    assert scene.config()["last_reload"]["ok"]
