"""dist/gatherer: one file, unpacked once, and the program itself after that."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.packaging.machine import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MANIFEST = '[towns]\nentity = "region/word:town"\nrequests = 1\n'
MIGRATION = "CREATE TABLE towns (region TEXT, town TEXT, found TEXT, PRIMARY KEY (region, town)) STRICT, WITHOUT ROWID;"
STATEMENTS = """\
-- name: towns_show
SELECT * FROM towns WHERE region = :region AND town = :town;

-- name: town_found
INSERT INTO towns VALUES (:region, :town, :found) ON CONFLICT DO UPDATE SET found = excluded.found;
"""
# What nothing of ours imports, and processes of its own: the frozen program must not start itself for them.
MODULE = '''\
"""Worker towns."""

import asyncio
import colorsys
import mailbox
import multiprocessing
import wave
from concurrent.futures import ProcessPoolExecutor

from supervisor.worker.sdk import ClaimedJob, Done, Effect, Outcome, Work


def compute(number: int) -> str:
    return f"{number * number}, {colorsys.rgb_to_hsv(1, 0, 0)[1]:.0f}, {wave.__name__}, {mailbox.__name__}"


async def run(job: ClaimedJob, work: Work) -> Outcome:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = await asyncio.get_running_loop().run_in_executor(pool, compute, 12)
    return Done(effects=[Effect("town_found", [{"found": found}])])
'''
CONFIG = """\
state_dir = "var"
[server]
listen = "127.0.0.1:0"
[apis.towns]
auth = "none"
base_url = "http://127.0.0.1:9"
windows = [{ requests = 10, per = "1s" }]
[[keys]]
name = "towns"
api = "towns"
tags = ["towns"]
[workers.towns]
job = "mine.towns"
path = "."
tag = "towns"
"""


class Program:
    """The file in a home of its own."""

    def __init__(self, file: Path, home: Path) -> None:
        self.file = file
        self.home = home
        self.cache = home / "cache" / "gatherer"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.file, *arguments], capture_output=True, text=True, env=self.environment, cwd=self.home, check=False
        )

    def unpacked(self) -> list[Path]:
        """Return what it has left in its cache, but for the lock."""
        return [entry for entry in self.cache.iterdir() if entry.name != ".lock"]

    @contextmanager
    def started(self, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        with (self.home / "log").open("wb") as log:
            process = subprocess.Popen(
                [self.file, *arguments], env=self.environment, cwd=self.home, stdout=subprocess.PIPE, stderr=log
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def program(dist: Path, tmp_path: Path) -> Program:
    return Program(dist / "gatherer", tmp_path)


def test_unpacks_once_by_its_content(program: Program) -> None:
    assert program.run("--version").stdout.startswith("gatherer ")
    (folder,) = program.unpacked()
    inode = folder.stat().st_ino
    assert program.run("--version").returncode == 0
    assert [entry.stat().st_ino for entry in program.unpacked()] == [inode]


def test_several_first_starts_at_once_all_work_and_unpack_once(program: Program) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: program.run("--version"), range(6)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 6
    assert len(program.unpacked()) == 1


def test_damaged_file_is_refused_and_leaves_nothing(program: Program) -> None:
    short = program.home / "short"
    short.write_bytes(program.file.read_bytes()[:-1000])
    short.chmod(0o755)
    done = Program(short, program.home).run("--version")
    assert (done.returncode, "damaged or incomplete" in done.stderr) == (78, True)
    assert program.unpacked() == []


def test_older_version_that_nobody_runs_is_removed(program: Program) -> None:
    (program.cache / "0123456789abcdef").mkdir(parents=True)
    program.run("--version")
    assert "0123456789abcdef" not in [entry.name for entry in program.unpacked()]


def test_process_is_the_program_and_a_kill_leaves_nothing(program: Program) -> None:
    with program.started("simulate", "--listen", "127.0.0.1:0") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        (folder,) = program.unpacked()
        running = [link for link in Path("/proc").glob("[0-9]*/exe") if target_of(link).startswith(str(folder))]
        assert running == []


def target_of(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_own_job_module_may_use_the_standard_library_and_multiprocessing(program: Program) -> None:
    package = program.home / "mine"
    for name, text in {
        "manifest.toml": MANIFEST,
        "migrations/0001_towns.sql": MIGRATION,
        "statements/towns.sql": STATEMENTS,
        "towns.py": MODULE,
        "__init__.py": "",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    (program.home / "config.toml").write_text(CONFIG)
    with program.started("run", "--config", "config.toml"):
        wait_until(lambda: program.run("status", "--config", "config.toml").returncode, 0)
        done = program.run("refresh", "eu/paris", "--config", "config.toml")
        assert done.returncode == 0, done.stdout + done.stderr + (program.home / "log").read_text()[-3000:]
        shown = program.run("show", "eu/paris", "--config", "config.toml").stdout
        assert "144, 1, wave, mailbox" in shown
