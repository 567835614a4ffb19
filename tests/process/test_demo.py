"""`gatherer demo` as a whole: real processes, the simulated API, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scripts.benchmarks.system import is_alive
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "supervisor.cli", "demo", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def family(pid: int) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    return found


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if is_alive(process)]


async def running(demo: subprocess.Popen[str]) -> list[psutil.Process]:
    """Wait until the demo has its simulator, supervisor, database, zygote and at least one replica."""
    return await eventually(lambda: family(demo.pid), lambda found: len(found) >= 5, within_s=40.0)


async def test_the_demo_keeps_its_promises_and_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start(tmp_path, "--seconds", "6", "--json")
    processes = await running(demo)
    out, err = demo.communicate(timeout=90)
    assert demo.returncode == 0, err
    found = json.loads(out)
    assert (found["ok"], found["refused"], found["lost"]) == (True, 0, 0)
    assert found["jobs"] > 0
    assert found["requests"] == found["requests_by_us"]
    assert alive(processes) == []
    assert list((tmp_path / "var" / "demo").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_demo_that_is_stopped_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    demo = start(tmp_path, "--seconds", "600")
    processes = await running(demo)
    demo.send_signal(number)
    demo.communicate(timeout=60)
    assert demo.returncode == (-number if number == signal.SIGKILL else 130)
    await eventually(lambda: alive(processes), lambda left: left == [], within_s=5.0)
