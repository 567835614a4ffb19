"""The zygote itself: what it inherits, what it hands on, when it refuses, when it dies."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from supervisor.pools.zygote_link import clean_environment
from supervisor.settings.config import Worker
from tests.pools.harness import RUNNER, Scene, a_worker, is_running, send_signal, zombies
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which the zygote can import."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@asynccontextmanager
async def living(tmp_path: Path, *workers: Worker, runner: str = RUNNER) -> AsyncIterator[Scene]:
    scene = Scene(tmp_path, *workers, runner=runner)
    await scene.pools.start()
    try:
        yield scene
    finally:
        await scene.pools.stop()


def count(pid: int | str, what: str) -> int:
    """Return how many entries /proc/PID/`what` has: "fd" or "task"."""
    return len(list(Path(f"/proc/{pid}/{what}").iterdir()))


def start_driver(run_dir: Path, replicas: int) -> tuple["Popen[bytes]", list[int]]:
    """Return a supervisor in a process of its own, and the pids of its zygote and replicas."""
    driver = Popen([sys.executable, "-m", "tests.pools.driver", str(run_dir), str(replicas)], stdout=PIPE)
    assert driver.stdout is not None
    with driver.stdout as output:
        return driver, json.loads(output.readline())


async def all_gone(driver: "Popen[bytes]", pids: list[int]) -> None:
    driver.wait()
    await eventually(lambda: [pid for pid in pids if is_running(pid)], lambda left: left == [], within_s=1.0)
    reap(pids)


def reap(pids: list[int]) -> None:
    """Wait for dead processes that are ours when an earlier test made this process a subreaper."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


async def test_zygote_has_one_task_also_with_the_real_libraries_imported(importable: Path) -> None:
    (importable / "heavy.py").write_text(
        "import uvloop, aiohttp, aiohttp.web, aiosqlite, structlog, msgspec, anyio\n"
        "from isal import isal_zlib\n"
        "from tests.pools.runner import run_replica\n"
    )
    async with living(importable, a_worker("work", 1), runner="heavy:run_replica") as scene:
        await scene.ready(1)
        (zygote,) = scene.pools.statistics().zygote_pids
        assert count(zygote, "task") == 1


async def test_zygote_with_a_thread_refuses_to_fork_and_says_why(importable: Path) -> None:
    (importable / "threaded.py").write_text(
        "import threading\n"
        "from tests.pools.runner import run_replica\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    async with living(importable, a_worker("work", 1), runner="threaded:run_replica") as scene:
        end = await eventually(lambda: scene.named("replica_exited"))
        assert end[0]["reason"] == "not forked"
        assert end[0]["status"] == "the zygote has 2 OS tasks: a module started a thread"
        assert scene.exits == []


async def test_replica_holds_no_descriptor_but_its_own(tmp_path: Path) -> None:
    async with living(tmp_path, a_worker("work", 3), a_worker("look", 1, "descriptors")) as scene:
        await scene.ready(3)
        await scene.ready(1, "look")
        lines = await eventually(lambda: scene.log("look#1"), lambda lines: len(lines) >= 2)
        assert "descriptors [0, 1, 2, 3]" in lines


async def test_fifty_rounds_of_spawn_and_stop_leak_nothing(tmp_path: Path) -> None:
    not_ours = set(zombies())
    async with living(tmp_path, a_worker("work", 1)) as scene:
        await scene.ready(1)
        (zygote,) = scene.pools.statistics().zygote_pids
        before = count("self", "fd"), count(zygote, "fd")
        for n in range(1, 51):
            scene.apply(a_worker("work", 0))
            await scene.exited(n)
            scene.apply(a_worker("work", 1))
            await scene.ready(1)
        assert (count("self", "fd"), count(zygote, "fd")) == before
        assert set(zombies()) <= not_ours


async def test_module_that_cannot_be_imported_is_noted_and_stops_nobody(importable: Path) -> None:
    (importable / "broken.py").write_text("raise SystemExit('no licence')")
    async with living(importable, a_worker("work", 1), a_worker("other", 0, job="broken")) as scene:
        await scene.ready(1)
        first = (await eventually(lambda: scene.named("zygote_log")))[0]
        assert first["line"] == "zygote: broken cannot be imported; its replicas will try it themselves"


async def test_supervisor_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    driver, pids = start_driver(tmp_path, 5)
    assert len(pids) == 6
    assert all(is_running(pid) for pid in pids)
    driver.kill()
    await all_gone(driver, pids)


async def test_supervisor_killed_takes_stopped_replicas_with_it(tmp_path: Path) -> None:
    driver, pids = start_driver(tmp_path, 2)
    send_signal(pids[-1], signal.SIGSTOP)
    driver.kill()
    await all_gone(driver, pids)


async def test_ctrl_c_of_the_group_reaches_only_the_supervisor(tmp_path: Path) -> None:
    async with living(tmp_path, a_worker("work", 2)) as scene:
        before = await scene.ready(2)
        for pid in [*before.values(), *scene.pools.statistics().zygote_pids]:
            send_signal(pid, signal.SIGINT)
            send_signal(pid, signal.SIGHUP)
        scene.apply(a_worker("work", 3))
        assert before.items() <= (await scene.ready(3)).items()


def test_children_inherit_no_secret_and_no_socket_of_systemd() -> None:
    environment = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": "x",
        "BLIZZARD_CLIENT_SECRET": "s",
        "NOTIFY_SOCKET": "/run/systemd/notify",
        "CREDENTIALS_DIRECTORY": "/run/credentials",
    }
    assert set(clean_environment(environment)) == {"PATH", "LC_ALL", "PYTHONPATH"}
