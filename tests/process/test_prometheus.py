"""A real Prometheus scrapes a running program: its numbers are true, and no panel of the dashboards is empty."""

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.system import System, World, gatherer, simulator

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).parents[2] / "config"
WORLD = ["--realms", "4", "--characters-per-realm", "400", "--latency-median", "0.02", "--valid", "0.9"]
QUIET_S = 60.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with simulator(tmp_path_factory.mktemp("world"), CLIENTS, WORLD) as running:
        yield running


@pytest.fixture(scope="module")
def system(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    config = preset("development", world.base_url, world.token_url, hour_lifted=False, paused=("auctions",))
    config += '\n[freshness.characters]\ntiers = [{ every = "12h" }]\nkeep_waiting = 1\n'
    with gatherer(tmp_path_factory.mktemp("system"), config) as running:
        running.enqueue("characters", world.entities("characters", 900))
        running.enqueue("guilds", world.entities("guilds", 40))
        running.enqueue("items", [f"eu/{number}" for number in range(1, 200)])
        running.enqueue("auctions", ["eu/commodities"])
        yield running


@pytest.fixture(scope="module")
def address(system: System) -> str:
    return f"127.0.0.1:{system.port()}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def prometheus(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's Prometheus with the shipped configuration, scraping each second."""
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(CONFIG / "prometheus" / "gatherer.rules.yml", folder)
    text = (CONFIG / "prometheus" / "prometheus.yml").read_text()
    (folder / "prometheus.yml").write_text(text.replace("15s", "1s").replace("127.0.0.1:8000", address))
    url = f"127.0.0.1:{free_port()}"
    command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={url}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(30)


def query(prometheus: str, expression: str) -> list[Any]:
    words = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"http://{prometheus}/api/v1/query?{words}", timeout=10) as answer:
        found: list[Any] = json.load(answer)["data"]["result"]
    return found


def has_value(prometheus: str, expression: str) -> bool:
    try:
        return bool(query(prometheus, expression))
    except OSError:  # not listening yet
        return False


def until(look: Any, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.3)
    return True


def panels() -> Iterator[tuple[str, str]]:
    for path in sorted((CONFIG / "grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]


def test_no_panel_of_the_dashboards_is_empty(prometheus: str) -> None:
    expressions = list(panels())
    assert len(expressions) > 40
    deadline = time.monotonic() + 90
    empty = expressions
    while empty and time.monotonic() < deadline:
        time.sleep(1.0)
        empty = [(title, expression) for title, expression in empty if not has_value(prometheus, expression)]
    assert empty == []


def test_prometheus_takes_every_metric_without_a_complaint(address: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    check = ["promtool", "check", "metrics"]
    done = subprocess.run(check, input=text_of(address), capture_output=True, timeout=60, check=False)
    complaints = (done.stdout + done.stderr).decode().splitlines()
    # The guide's names are older than Prometheus' advice on units; they stay as the guide has them.
    assert [line for line in complaints if not line.startswith("bullmq_")] == []


def test_each_number_is_what_the_api_and_the_database_counted(address: str, system: System, world: World) -> None:
    for worker in system.daemon.get("/workers")["workers"]:
        system.daemon.post(f"/workers/{worker}/pause")
    assert until(lambda: is_quiet(system, address), QUIET_S), "jobs go on though everything is paused"
    samples = samples_of(address)
    by_status: Counter[str] = Counter()
    for client in world.statistics()["clients"].values():
        by_status.update(client["by_status"])
    told = total(samples, "gatherer_requests_total", "status")
    assert {status: count for status, count in told.items() if status.isdecimal() and count} == dict(by_status)
    in_database = Counter(
        {
            (kind, state): count
            for kind, state, count in system.query("SELECT kind, state, count(*) FROM jobs GROUP BY 1, 2")
        }
    )
    queues = total(samples, "gatherer_queue_jobs", "worker", "state")
    assert {names: count for names, count in queues.items() if count} == dict(in_database)
    ended = total(samples, "gatherer_jobs_total", "worker", "outcome")
    completed = Counter(
        {
            (kind, outcome): count
            for kind, outcome, count in system.query(
                "SELECT kind, outcome, count(*) FROM jobs WHERE state = 'completed' GROUP BY 1, 2"
            )
        }
    )
    assert {names: count for names, count in ended.items() if names in completed} == dict(completed)
    waiting = total(samples, "bullmq_queue_waiting_jobs", "queue")
    assert waiting["characters"] == in_database["characters", "available"]


def is_quiet(system: System, address: str) -> bool:
    """Tell whether nothing runs and the replicas have told all that they counted."""
    if system.query("SELECT count(*) FROM jobs WHERE state = 'executing'")[0][0]:
        return False
    before = samples_of(address)
    time.sleep(2.5)  # replicas tell once a second
    names = ("gatherer_requests_total", "gatherer_jobs_total", "gatherer_queue_jobs")
    after = samples_of(address)
    return all(total(before, name, "worker") == total(after, name, "worker") for name in names)


def text_of(address: str) -> bytes:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        return bytes(answer.read())


def samples_of(address: str) -> list[Any]:
    families = text_string_to_metric_families(text_of(address).decode())
    return [sample for family in families for sample in family.samples]


def total(samples: list[Any], name: str, *labels: str) -> Counter[Any]:
    """Return the sums of `name` by its `labels`: one label's value, or a tuple of them."""
    sums: Counter[Any] = Counter()
    for sample in samples:
        if sample.name == name:
            key = tuple(sample.labels[label] for label in labels)
            sums[key if len(labels) > 1 else key[0]] += int(sample.value)
    return sums
