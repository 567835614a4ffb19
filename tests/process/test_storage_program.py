"""The whole program on a disk that is full, read-only or damaged: what it says, how it ends, what it leaves alone."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from scripts.benchmarks.configuration import preset
from scripts.benchmarks.system import CHECKOUT, System, gatherer
from supervisor.core.errors import GathererError, UnavailableError
from tests.database.test_damage import leaf_of, overwrite
from tests.process.test_supervisor import eventually
from tests.support.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:9"
DISK_MB = 48


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "state", DISK_MB) as disk:
        yield disk


@pytest.fixture(scope="module")
def text() -> str:
    """One worker, one replica, and an API that nobody runs."""
    document = tomlkit.parse(preset("development", NOWHERE, f"{NOWHERE}/token"))
    worker: Any = document["workers"]
    document["workers"] = {"characters": worker["characters"]}
    document["workers"]["characters"]["replicas"] = 1
    document["storage"] = {"min_free": 0}
    return tomlkit.dumps(document)


def log_of(system: System) -> str:
    return (system.folder / "supervisor.log").read_text()


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [*CHECKOUT, *words, "--config", str(folder / "config.toml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def enqueue_until_refused(system: System) -> GathererError:
    for n in range(2000):
        jobs = [{"worker": "characters", "entity": f"eu/silvermoon/n{n}x{i}"} for i in range(200)]
        try:
            system.daemon.post("/jobs", body={"jobs": jobs})
        except GathererError as error:
            return error
    raise AssertionError("never refused")


def reasons(system: System) -> str:
    try:
        return str(system.daemon.get("/workers")["reasons_not_ready"])
    except GathererError:
        return ""


def test_full_disk_is_waited_for_at_start_said_everywhere_at_work_and_ends_by_itself(
    tmp_path: Path, disk: SmallDisk, text: str
) -> None:
    disk.fill()
    with gatherer(tmp_path, text, ready=False) as system:
        eventually(lambda: "no room is left on the disk" in log_of(system))
        assert [path.name for path in disk.path.iterdir()] == ["ballast"]
        disk.make_room()
        eventually(lambda: '"supervisor_started"' in log_of(system), within_s=30)
        assert log_of(system).count("no room is left") == 1
        disk.fill()
        assert isinstance(enqueue_until_refused(system), UnavailableError)
        eventually(lambda: "no room is left on the disk" in reasons(system))
        assert "nothing is claimed" in run(tmp_path, "doctor").stdout
        with pytest.raises(UnavailableError, match=r"overrides\.toml: No space left on device; nothing was changed"):
            system.daemon.post("/workers/characters/pause")
        assert not system.daemon.get("/workers")["workers"]["characters"]["paused"]
        backup = run(tmp_path, "backup")
        assert (backup.returncode, "no backup was made" in backup.stderr) == (1, True)
        assert list((disk.path / "backups").glob("*")) == []
        assert log_of(system).count('"storage_failed"') == 1
        disk.make_room()
        eventually(lambda: "no room" not in reasons(system))
        system.daemon.post("/workers/characters/pause")
        assert run(tmp_path, "backup").returncode == 0


def test_supervisor_killed_on_a_full_disk_comes_back_with_everything(
    tmp_path: Path, disk: SmallDisk, text: str
) -> None:
    with gatherer(tmp_path, text, ready=False) as system:
        eventually(lambda: '"supervisor_started"' in log_of(system), within_s=30)
        system.enqueue("characters", [f"eu/silvermoon/a{n}" for n in range(500)])
        disk.fill()
        enqueue_until_refused(system)
        system.process.kill()
        system.process.wait()
        system.start()
        eventually(lambda: log_of(system).count("no room is left") > 1 or log_of(system).count('"database_ready"') > 1)
        disk.make_room()
        eventually(lambda: log_of(system).count('"database_ready"') > 1, within_s=30)
        found = system.query("SELECT count(*) FROM jobs WHERE entity LIKE 'eu/silvermoon/a%'")
        assert found == [(500,)]


def test_read_only_disk_ends_the_start_with_78_and_is_left_alone(tmp_path: Path, disk: SmallDisk, text: str) -> None:
    with gatherer(tmp_path, text, ready=False) as system:
        eventually(lambda: '"database_ready"' in log_of(system), within_s=30)
    before = {path.name: path.read_bytes() for path in disk.path.iterdir() if path.is_file()}
    disk.make_read_only()
    with gatherer(tmp_path, text, ready=False) as system:
        assert system.process.wait(30) == 78
    assert "Read-only file system" in log_of(system).splitlines()[-1]
    assert {path.name: path.read_bytes() for path in disk.path.iterdir() if path.is_file()} == before


def test_damaged_database_ends_the_start_with_78_and_the_way_out(tmp_path: Path, text: str) -> None:
    with gatherer(tmp_path, text, ready=False) as system:
        eventually(lambda: '"database_ready"' in log_of(system), within_s=30)
        system.enqueue("characters", ["eu/silvermoon/a"])
        made = json.loads(run(tmp_path, "backup", "--json").stdout)
        kept = {str(path.relative_to(made["folder"])) for path in Path(made["folder"]).rglob("*") if path.is_file()}
        assert kept >= {"gatherer.db", "market.db", "limiter.journal", "config/config.toml"}
        refused = run(tmp_path, "restore", made["folder"])
        assert (refused.returncode, "another gatherer runs here" in refused.stderr) == (1, True)
    overwrite(tmp_path / "state" / "gatherer.db", 0, b"\x5a" * 100)
    damaged = (tmp_path / "state" / "gatherer.db").read_bytes()
    system.start()
    assert system.process.wait(30) == 78
    last = log_of(system).splitlines()[-1]
    assert "gatherer.db: damaged, or not a database" in last
    assert "gatherer restore" in last
    assert (tmp_path / "state" / "gatherer.db").read_bytes() == damaged
    assert run(tmp_path, "restore", made["folder"]).returncode == 0
    with gatherer(tmp_path, text, ready=False) as system:
        eventually(lambda: log_of(system).count('"database_ready"') == 2, within_s=30)
        assert system.query("SELECT entity FROM jobs") == [("eu/silvermoon/a",)]


def test_damage_found_at_work_ends_the_database_for_good_and_the_program_says_why(tmp_path: Path, text: str) -> None:
    with gatherer(tmp_path, text, ready=False) as system:
        eventually(lambda: '"database_ready"' in log_of(system), within_s=30)
        system.enqueue("characters", [f"eu/silvermoon/a{n}" for n in range(3000)])
        system.stop()
        path = tmp_path / "state" / "gatherer.db"
        overwrite(path, leaf_of(path, "jobs"), b"\xff" * 4096)
        damaged = path.read_bytes()
        system.start()
        eventually(lambda: log_of(system).count('"database_ready"') == 2, within_s=30)
        job = sqlite3_last(damaged, tmp_path)
        with pytest.raises(GathererError):
            system.daemon.post(f"/jobs/{job}/retry")
        eventually(lambda: "gatherer.db: damaged" in reasons(system))
        assert log_of(system).count('"database_died"') == 0
        assert path.read_bytes() == damaged
        system.process.send_signal(signal.SIGTERM)
        assert system.process.wait(60) == 0


def sqlite3_last(content: bytes, folder: Path) -> int:
    """Return the number of a job on the damaged page: the last one."""
    copy = folder / "copy.db"
    copy.write_bytes(content)
    connection = sqlite3.connect(copy)
    (last,) = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").fetchone()
    connection.close()
    Path(copy).unlink()
    return int(last)
