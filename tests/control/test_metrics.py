"""What Prometheus sees."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from supervisor.control.metrics import Metrics
from supervisor.core.messages.replica_supervisor import Tally
from supervisor.core.messages.supervisor_database import Census, Counted
from supervisor.pools.brakes import BrakeStatistics
from supervisor.pools.statistics import PoolsStatistics
from tests.control.snapshots import moved_of, pool_of, snapshot_of
from tests.support.clock import FakeClock


@pytest.fixture
def text(clock: FakeClock) -> str:
    snapshot = snapshot_of(clock)
    clock.set(clock.monotonic() + 60)
    tally = Tally({"done": 110, "skipped": 10, "retry": 4}, [0.2, 0.4], 36, 1, {"character/mounts": 2})
    snapshot.measurements.add("characters", tally)
    return Metrics(lambda: snapshot).text().decode()


def value(text: str, name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    raise AssertionError(f"{name} {labels} is not among:\n{text}")


def test_a_braked_endpoint_is_named(clock: FakeClock) -> None:
    brake = BrakeStatistics(endpoint="character/mounts", for_s=90.0, next_probe_in_s=30.0)
    pools = PoolsStatistics(
        workers={"characters": pool_of(braked=(brake,))}, zygote_pids=(), zygote_generation=1, zygote_deaths=0
    )
    text = Metrics(lambda: snapshot_of(clock, pools=pools)).text().decode()
    assert value(text, "gatherer_endpoint_braked", worker="characters", endpoint="character/mounts") == 1


def test_autoscale_has_its_bounds_moves_and_alerts(clock: FakeClock) -> None:
    snapshot = snapshot_of(clock, autoscale={"characters": moved_of()})
    text = Metrics(lambda: snapshot).text().decode()
    assert value(text, "gatherer_autoscale_bound", worker="characters", bound="max") == 32
    assert value(text, "gatherer_autoscale_moves_total", worker="characters", cause="wanted") == 3
    assert value(text, "gatherer_autoscale_moves_total", worker="characters", cause="trouble") == 0
    assert value(text, "gatherer_alerts_firing", worker="characters") == 1


def test_our_names_have_the_designs_labels(text: str) -> None:
    assert value(text, "gatherer_queue_jobs", worker="characters", state="available", priority="background") == 1200
    assert value(text, "gatherer_requests_total", key="osint-1", worker="characters", status="200") == 8990
    assert value(text, "gatherer_requests_saved_total", worker="characters") == 36
    assert value(text, "gatherer_permit_wait_seconds_bucket", worker="characters", le="0.025") == 1
    assert value(text, "gatherer_key_window_used", key="osint-1", window="3600s") == 9000
    assert value(text, "gatherer_key_window_limit", key="osint-1", window="1s") == 100
    assert value(text, "gatherer_key_state", key="osint-1", state="ok") == 1
    assert value(text, "gatherer_concurrency", worker="characters", view="effective") == 2
    assert value(text, "gatherer_replicas", worker="characters", state="ready") == 4
    assert value(text, "gatherer_job_seconds_count", worker="characters") == 2
    assert value(text, "gatherer_jobs_total", worker="characters", outcome="done") == 110
    assert value(text, "gatherer_unparsed_total", endpoint="character/mounts") == 2
    assert value(text, "gatherer_oldest_waiting_seconds", worker="characters") == 12.5
    assert value(text, "gatherer_replica_restarts_total", worker="characters", reason="crashed") == 1
    assert value(text, "gatherer_config_last_reload_successful") == 1
    assert value(text, "gatherer_config_generation") == 3
    assert value(text, "gatherer_memory_pss_bytes", role="supervisor") == 50_000_000


def test_what_is_known_is_told_by_age_and_by_freshness(clock: FakeClock) -> None:
    census = Census((3600.0, 86400.0), {"characters": Counted([5, 3, 2], 7), "items": Counted([0, 0, 0], None)}, {})
    database = replace(snapshot_of(clock).database, census=census)
    text = Metrics(lambda: snapshot_of(clock, database=database)).text().decode()
    assert value(text, "gatherer_entities", kind="characters", age_le="3600") == 5
    assert value(text, "gatherer_entities", kind="characters", age_le="86400") == 8
    assert value(text, "gatherer_entities", kind="characters", age_le="+Inf") == 10
    assert value(text, "gatherer_fresh_ratio", kind="characters") == 0.7
    assert 'gatherer_fresh_ratio{kind="items"}' not in text
    assert value(text, "gatherer_purge_brake", kind="characters") == 0


def test_the_guides_names_mean_what_they_say(text: str) -> None:
    assert value(text, "bullmq_queue_waiting_jobs", queue="characters") == 1204
    assert value(text, "bullmq_queue_active_jobs", queue="characters") == 8
    assert value(text, "bullmq_queue_failed_jobs", queue="characters") == 3
    assert value(text, "bullmq_queue_processing_rate", queue="characters") == pytest.approx(120)
    assert value(text, "bullmq_queue_avg_processing_time_ms", queue="characters") == pytest.approx(300)
    assert value(text, "bullmq_jobs_total", queue="characters", status="completed") == 120


def test_a_scrape_names_nobodys_character(text: str) -> None:
    assert "kaelthas" not in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_accepts_the_text(text: str) -> None:
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=20)
    assert "error" not in checked.stderr.lower()
