"""`python -m jobs.simulator` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.recordings import REPOSITORY
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "jobs.simulator", "--client", "osint-1:s3cret", "--client", "dma-1:s3cret"]
PARENT = f"""
import os, subprocess, sys
child = subprocess.Popen({COMMAND!r} + ["--parent", str(os.getpid())], stdout=subprocess.PIPE)
print(child.stdout.readline().decode(), flush=True)
sys.stdin.read()
"""


def start(*command: str) -> tuple["subprocess.Popen[bytes]", dict[str, Any]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=REPOSITORY)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def stop(process: "subprocess.Popen[bytes]") -> int:
    with process:
        process.terminate()
        return process.wait(timeout=10)


def test_one_line_says_where_it_listens_and_it_answers_there() -> None:
    process, hello = start(*COMMAND, "--per-hour", "off", "--latency-median", "0")
    try:
        assert hello.keys() == {"base_url", "token_url", "pid"}
        assert hello["pid"] == process.pid
        with urllib.request.urlopen(f"{hello['base_url']}/_simulator/statistics", timeout=10) as answer:
            seen = json.load(answer)
        assert seen["clients"].keys() == {"osint-1", "dma-1"}
        assert (seen["limit"]["per_second"], seen["limit"]["per_hour"]) == (100, 0)
    finally:
        assert stop(process) == 0


async def test_it_dies_with_its_parent() -> None:
    parent, hello = start(sys.executable, "-c", PARENT)
    with parent:
        os.kill(parent.pid, signal.SIGKILL)
        await eventually(lambda: not is_running(hello["pid"]))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
