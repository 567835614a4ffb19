"""The whole program among strangers: what they can read of it, and what a crowd at its door costs."""

import contextlib
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.benchmarks.configuration import CLIENTS, SECRET, preset
from scripts.benchmarks.system import CHECKOUT, System, World, gatherer, percentile, simulator
from tests.process.leaks import leaks_in, leaks_under
from tests.process.test_supervisor import child, eventually, finished

pytestmark = pytest.mark.slow

WORLD = ["--realms", "2", "--characters-per-realm", "300", "--latency-median", "0.02"]
CROWD = 10_000
FILES = 400  # what the supervisor may open in the test with the crowd
SPARE_FILES = 500  # of the test's own
LOOK = """
import sys
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            file.read(1)
        print("read", path)
    except OSError:
        pass
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with simulator(tmp_path, CLIENTS, WORLD) as running:
        yield running


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_secret_that_leaks_is_found(tmp_path: Path) -> None:
    """The search that follows all tests with real processes can fail."""
    (tmp_path / "a.log").write_text(f"token=EU{'0' * 32} for x")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.db").write_bytes(b"\x00\x01" + SECRET.encode() + b"\xff")
    (tmp_path / "config.toml").write_text(SECRET)
    found = list(leaks_under(tmp_path))
    assert [line.split(": ")[0] for line in found] == [str(tmp_path / "a.log"), str(tmp_path / "b" / "c.db")]
    assert SECRET not in "".join(found)
    for path in (tmp_path / "a.log", tmp_path / "b" / "c.db"):
        path.unlink()  # or they would fail the run


@pytest.mark.usefixtures("open_umask")
def test_nothing_of_it_is_for_others(tmp_path: Path, world: World) -> None:
    with gatherer(tmp_path, preset("development", world.base_url, world.token_url)) as system:
        system.enqueue("characters", world.entities("characters", 20))
        system.daemon.post("/workers/guilds/pause")
        system.daemon.post("/backups")
        eventually(lambda: finished(system) >= 20)
        assert_private(tmp_path / "state", tmp_path / "run")
        for process in system.processes():
            if process.pid != system.process.pid:
                assert list(leaks_in(Path(f"/proc/{process.pid}/environ").read_bytes())) == []
            assert list(leaks_in(Path(f"/proc/{process.pid}/cmdline").read_bytes())) == []
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            assert "Max core file size        0                    0" in limits
        assert_closed_to_others(system)
        for path in ("/metrics", "/workers", "/keys", "/jobs", "/openapi.json", "/", "/statistics", "/queues"):
            with urllib.request.urlopen(f"http://127.0.0.1:{system.port()}{path}", timeout=30) as answer:
                assert list(leaks_in(answer.read())) == []
        with urllib.request.urlopen(f"http://127.0.0.1:{system.port()}/events", timeout=30) as stream:
            assert list(leaks_in(stream.read(20_000))) == []


def assert_private(*folders: Path) -> None:
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path


def assert_closed_to_others(system: System) -> None:
    if os.geteuid() != 0:
        return
    paths = [f"/proc/{process.pid}/{name}" for process in system.processes() for name in ("environ", "mem", "maps")]
    paths += [str(path) for path in (system.folder / "state").rglob("*")]
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
    with contextlib.suppress(PermissionError):  # no interpreter that another user may run
        done = subprocess.run([python, "-c", LOOK, *paths], capture_output=True, text=True, user=65534, cwd="/")
        assert done.stdout == ""


def test_a_crowd_at_the_door_costs_no_job_no_replica_and_no_command(tmp_path: Path, world: World) -> None:
    program = (shutil.which("prlimit") or pytest.skip("prlimit is missing"), f"--nofile={FILES}:{FILES}", *CHECKOUT)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    config = preset("development", world.base_url, world.token_url)
    with gatherer(tmp_path, config, program=program) as system, contextlib.ExitStack() as crowd:
        port, waits = system.port(), []
        system.enqueue("characters", world.entities("characters", 400))
        killed = child(system, "characters#2")
        for number in range(min(CROWD, most - SPARE_FILES)):
            stranger = crowd.enter_context(socket.socket())
            stranger.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                stranger.connect(("127.0.0.1", port))
            if number % 200 == 0:
                waits.append(answered_within_s(system))
            if number == 1000:
                os.kill(killed, signal.SIGKILL)
        eventually(lambda: system.pids().get("characters#2", killed) != killed, within_s=60)
        eventually(lambda: finished(system) >= 400, within_s=90)
        waits.append(answered_within_s(system))
        assert percentile(waits, 0.99) < 5.0, waits
        print(f"control.sock p50 {percentile(waits, 0.5) * 1000:.1f} ms, p99 {percentile(waits, 0.99) * 1000:.1f} ms")
        crowd.close()
        eventually(lambda: is_served(port), within_s=60)
    assert "request_failed" not in (tmp_path / "supervisor.log").read_text()


def answered_within_s(system: System) -> float:
    begun = time.monotonic()
    assert system.daemon.get("/healthz")["ok"]
    return time.monotonic() - begun


def is_served(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
