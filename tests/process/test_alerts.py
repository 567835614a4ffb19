"""An alert about the queue moves a running supervisor: Prometheus → Alertmanager → webhook → slots, and back.

The webhook goes to /workers/concurrency, where the guide points it.
"""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from scripts.benchmarks.configuration import CLIENTS, preset, with_tables_last
from scripts.benchmarks.system import System, World, gatherer, simulator
from tests.process.monitoring import monitoring, port_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

WORLD = ["--realms", "4", "--characters-per-realm", "200", "--latency-median", "0.1", "--valid", "1"]
ALARMING = 40


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with simulator(tmp_path, CLIENTS, WORLD) as running:
        yield running


def configuration(world: World, concurrency: int | str = 1, **autoscale: Any) -> str:
    """One replica of characters, which only alerts may move: no queue is long enough for autoscale itself."""
    others = ("guilds", "profile", "items", "auctions")
    document = tomlkit.parse(preset("development", world.base_url, world.token_url, paused=others)).unwrap()
    document["workers"]["characters"] |= {
        "concurrency": concurrency,
        "replicas": 1,
        "autoscale": {"max": 3, "waiting_above": 1_000_000, "cooldown": "1s"} | autoscale,
    }
    return with_tables_last(tomlkit.dumps(document))


def characters(system: System) -> dict[str, Any]:
    return dict(system.daemon.get("/workers")["workers"]["characters"])


def effective(system: System) -> int:
    return int(characters(system)["effective"]["concurrency"])


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


async def test_an_alert_lifts_concurrency_and_its_end_takes_it_back(tmp_path: Path, world: World) -> None:
    with gatherer(tmp_path, configuration(world)) as system:
        written = (tmp_path / "config.toml").read_bytes()
        system.enqueue("characters", world.entities("characters", 130))
        port = port_of(tmp_path / "supervisor.log")
        with monitoring(tmp_path, gatherer=port, waiting=ALARMING, path="workers/concurrency"):
            await eventually(lambda: effective(system), lambda concurrency: concurrency == 2, within_s=40)
            worker = characters(system)
            assert worker["desired"]["concurrency"] == 1
            assert worker["autoscale"]["who"] == "alert QueueBacklog"
            assert worker["autoscale"]["alerts"] == ["QueueBacklog"]
            await eventually(lambda: effective(system), lambda concurrency: concurrency == 1, within_s=60)
        worker = characters(system)
        assert worker["autoscale"]["why"] == "its alert is resolved"
        # Alertmanager repeated itself all the while; it was one step up and one step back.
        assert worker["autoscale"]["moves"] == {"wanted": 1, "resolved": 1}
        assert (tmp_path / "config.toml").read_bytes() == written
        metrics = await asyncio.to_thread(read, f"http://127.0.0.1:{port}/metrics")
        assert 'gatherer_concurrency{view="effective",worker="characters"} 1.0' in metrics
        assert 'gatherer_autoscale_moves_total{cause="resolved",worker="characters"} 1.0' in metrics


async def test_a_persons_post_ends_what_an_alert_began_and_is_what_holds(tmp_path: Path, world: World) -> None:
    webhook = json.loads((Path(__file__).parents[1] / "control" / "webhooks" / "alertmanager.json").read_text())
    with gatherer(tmp_path, configuration(world)) as system:
        system.enqueue("characters", world.entities("characters", 100))

        def lifted() -> bool:
            taken = system.daemon.post("/alerts", body=webhook)["alerts"]
            assert [alert["worker"] for alert in taken] == ["characters", "items"]
            assert taken[1]["action"] == "ignored"
            return effective(system) == 2

        await eventually(lifted, within_s=30)
        # The same number as in the file: nothing to edit, yet it must hold now.
        answer = system.daemon.post("/workers/concurrency", body={"worker": "characters", "concurrency": 1})
        assert answer["effective"]["concurrency"] == answer["desired"]["concurrency"] == 1
        assert system.daemon.post("/alerts", body=webhook)["alerts"][0]["action"] == "counted"
        answer = system.daemon.post("/workers/concurrency", body={"worker": "characters", "concurrency": 3})
        assert answer["effective"]["concurrency"] == 3
        assert "concurrency = 3" in (tmp_path / "config.toml").read_text()
