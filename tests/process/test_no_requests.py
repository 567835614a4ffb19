"""Jobs of a kind that sends no request, in the real program: no key of theirs works, and they do not care."""

import os
import signal
from pathlib import Path

import pytest
import tomli_w

from scripts.benchmarks.deeds import PACKAGES
from scripts.benchmarks.system import System, gatherer
from tests.process.test_keys import eventually

pytestmark = pytest.mark.slow

JOBS = 500
NOBODY = "http://127.0.0.1:1"
CONFIGURATION = {
    "state_dir": "state",
    "run_dir": "run",
    "server": {"listen": "127.0.0.1:0"},
    "apis": {"away": {"base_url": NOBODY, "token_url": f"{NOBODY}/token"}},
    "keys": [{"name": "away", "api": "away", "tags": ["away"], "client_id": "id", "client_secret": "secret"}],
    "workers": {
        "noops": {"job": "noops.noops", "path": str(PACKAGES), "tag": "away", "replicas": 2, "concurrency": 8},
    },
}


def completed(system: System) -> int:
    return int(system.query("SELECT count(*) FROM jobs WHERE state = 'completed'")[0][0])


def give(system: System, jobs: range) -> None:
    system.enqueue("noops", [f"n{number}" for number in jobs])


def test_jobs_that_send_nothing_run_without_a_key(tmp_path: Path) -> None:
    with gatherer(tmp_path, tomli_w.dumps(CONFIGURATION)) as system:
        give(system, range(JOBS))
        eventually(lambda: completed(system) == JOBS)
        assert system.query("SELECT count(*) FROM jobs WHERE requests > 0 OR attempt > 0")[0][0] == 0

        system.daemon.post("/workers/noops/pause")
        eventually(lambda: system.daemon.get("/workers")["workers"]["noops"]["effective"]["concurrency"] == 0)
        give(system, range(JOBS, JOBS + 10))
        assert completed(system) == JOBS
        system.daemon.post("/workers/noops/resume")
        eventually(lambda: completed(system) == JOBS + 10)

        for replica in system.replicas().values():
            os.kill(replica, signal.SIGKILL)
        give(system, range(JOBS + 10, 2 * JOBS))
        eventually(lambda: completed(system) == 2 * JOBS)
        system.stop()
    assert "Traceback" not in (tmp_path / "supervisor.log").read_text()
