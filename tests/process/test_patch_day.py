"""A patch renames the mounts under load: real processes, and a job package whose parser is mended while they run."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.system import System, World, gatherer, simulator
from supervisor.pools.brakes import MIN_BODIES
from tests.process.test_keys import eventually

pytestmark = pytest.mark.slow

JOBS = Path(__file__).parents[2] / "jobs"
WORLD = ["--realms", "2", "--characters-per-realm", "200", "--latency-median", "0.02", "--valid", "1"]
PEOPLE, REPLICAS = 300, 4
RENAMED = [{"match": "^character-mounts$", "do": "rename", "field": "mounts", "to": "steeds"}]
IN_FLIGHT = 150
"""Bodies that may be read in the second or two until all replicas know, on a busy machine."""


def package(folder: Path) -> Path:
    """Copy the jobs as a package of a user's own, and return it."""
    mine = folder / "code" / "mine"
    shutil.copytree(JOBS, mine, ignore=shutil.ignore_patterns("simulator", "__pycache__"))
    for file in mine.rglob("*.py"):
        file.write_text(file.read_text().replace("from jobs", "from mine"))
    return mine


def mend(mine: Path) -> None:
    """Teach the parser the new name."""
    model = mine / "models" / "character.py"
    text = model.read_text()
    assert "    mounts: list[Mount]\n" in text
    mended = text.replace("    mounts: list[Mount]\n", '    mounts: list[Mount] = msgspec.field(name="steeds")\n')
    model.write_text(mended.replace("from mine", "import msgspec\n\nfrom mine", 1))


def configuration(world: World, mine: Path) -> str:
    document: Any = tomlkit.parse(preset("development", world.base_url, world.token_url))
    settings = document["workers"]["characters"] | {
        "job": "mine.characters", "path": str(mine.parent), "replicas": REPLICAS, "concurrency": 2,
    }  # fmt: skip  # one line a name would be a page
    document["workers"] = {"characters": settings}
    return tomlkit.dumps(document)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[World, System, Path]]:
    mine = package(tmp_path)
    with simulator(tmp_path, CLIENTS, WORLD) as world, gatherer(tmp_path, configuration(world, mine)) as system:
        yield world, system, mine


def test_a_renamed_field_is_braked_by_name_and_one_command_catches_up(running: tuple[World, System, Path]) -> None:
    world, system, mine = running
    world.post("faults", RENAMED)
    system.enqueue("characters", world.entities("characters", PEOPLE))
    eventually(lambda: ended(system) == PEOPLE, within_s=60.0)
    worker = system.daemon.get("/workers")["workers"]["characters"]
    assert list(worker["braked"]) == ["character/mounts"]
    asked = world.statistics()["endpoints"]["character-mounts"]["200"]
    assert MIN_BODIES <= asked <= MIN_BODIES + IN_FLIGHT < PEOPLE
    assert read(system, "summary") == read(system, "pets") == PEOPLE
    assert read(system, "mounts") == 0
    assert system.query("SELECT count(*) FROM unparsed_bodies")[0][0] <= 20
    mend(mine)
    assert system.daemon.post("/workers/characters/restart")
    eventually(lambda: replaced(system, worker), within_s=60.0)
    assert system.daemon.get("/workers")["workers"]["characters"]["braked"] == {}
    answer = system.daemon.post("/jobs/retry", {"worker": "characters", "outcome": "unparsed"})
    assert answer["changed"] == PEOPLE
    eventually(lambda: read(system, "mounts") == PEOPLE, within_s=60.0)
    assert system.query("SELECT count(*) FROM characters WHERE gone_since IS NOT NULL") == [(0,)]


def ended(system: System) -> int:
    ended = "SELECT count(*) FROM jobs WHERE kind = 'characters' AND state IN ('completed', 'discarded')"
    return int(system.query(ended)[0][0])


def read(system: System, part: str) -> int:
    return int(system.query(f"SELECT count(*) FROM characters WHERE {part}_success_at > 0")[0][0])


def replaced(system: System, before: dict[str, Any]) -> bool:
    """Tell whether all replicas are others than before, and ready."""
    old = {replica["pid"] for replica in before["replicas"].values()}
    now = system.daemon.get("/workers")["workers"]["characters"]["replicas"].values()
    return len(now) == REPLICAS and all(r["state"] == "ready" and r["pid"] not in old for r in now)
