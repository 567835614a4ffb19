"""A real Prometheus and a real Alertmanager beside a supervisor: scrape, rule, webhook."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

ALERTMANAGER, PROMETHEUS = "prometheus-alertmanager", "prometheus"

RULES = """
groups:
  - name: gatherer
    rules:
      - alert: QueueBacklog
        expr: bullmq_queue_waiting_jobs > {waiting}
"""
SCRAPE = """
global: {{ scrape_interval: 500ms, evaluation_interval: 500ms }}
rule_files: [rules.yml]
scrape_configs:
  - job_name: gatherer
    static_configs: [{{ targets: ["127.0.0.1:{gatherer}"] }}]
alerting:
  alertmanagers:
    - static_configs: [{{ targets: ["127.0.0.1:{alertmanager}"] }}]
"""
ROUTE = """
route:
  receiver: gatherer
  group_by: [alertname, queue]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 2s
receivers:
  - name: gatherer
    webhook_configs: [{{ url: "http://127.0.0.1:{gatherer}/{path}" }}]
"""


@contextmanager
def monitoring(folder: Path, *, gatherer: int, waiting: int, path: str) -> Iterator[None]:
    """Alert when more than `waiting` jobs wait, to `path` of the supervisor that listens on port `gatherer`."""
    for program in (PROMETHEUS, ALERTMANAGER):
        if shutil.which(program) is None:
            pytest.skip(f"needs Debian's {program}")
    port = free_port()
    (folder / "rules.yml").write_text(RULES.format(waiting=waiting))
    (folder / "prometheus.yml").write_text(SCRAPE.format(gatherer=gatherer, alertmanager=port))
    (folder / "alertmanager.yml").write_text(ROUTE.format(gatherer=gatherer, path=path))
    with ExitStack() as stack:
        stack.enter_context(
            running(
                folder, ALERTMANAGER, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts",
                f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
            )
        )  # fmt: skip  # a program and its flags
        stack.enter_context(
            running(
                folder, PROMETHEUS, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/series",
                f"--web.listen-address=127.0.0.1:{free_port()}",
            )
        )  # fmt: skip  # as above
        yield


@contextmanager
def running(folder: Path, program: str, *flags: str) -> Iterator[None]:
    with (folder / f"{program}.log").open("wb") as log:
        process = subprocess.Popen([program, *flags], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def port_of(log: Path) -> int:
    """Return the port that the supervisor's log says it listens on."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return int(next(line["port"] for line in lines if line["event"] == "control_started"))
