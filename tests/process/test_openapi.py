"""Every address of a running supervisor, asked by schemathesis with what its document allows and what it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.system import gatherer, simulator
from tests.process.test_scale import port_of

pytestmark = pytest.mark.slow

WORLD = ["--realms", "2", "--characters-per-realm", "50", "--latency-median", "0.01"]
# "Valid" requests may be refused here: which workers, keys and entities there are is not for the document to say.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method"
)
# Both answer late, by design.
NOT_ASKED = ("/events", "/jobs/{id}/wait")


def test_nothing_is_a_fault_of_ours_and_every_answer_is_as_described(tmp_path: Path) -> None:
    with simulator(tmp_path, CLIENTS, WORLD) as world:
        text = preset("development", world.base_url, world.token_url)
        with gatherer(tmp_path, text) as system:
            system.enqueue("characters", world.entities("characters", 20))
            command = [
                *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"),
                f"http://127.0.0.1:{port_of(system)}/openapi.json",
                *("--phases", "coverage,fuzzing", "--checks", CHECKS, "--max-examples", "6", "--seed", "1"),
                *("--request-timeout", "20", "--warnings", "off", "--no-color", "--continue-on-failure"),
                *(f"--exclude-path={path}" for path in NOT_ASKED),
            ]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
            assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
            assert "No issues found" in done.stdout, done.stdout[-1000:]
            assert system.daemon.get("/healthz")["ok"]
    assert "request_failed" not in (tmp_path / "supervisor.log").read_text()
