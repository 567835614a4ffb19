"""What a job costs: nominal by the manifest, then as measured."""

from typing import Any

import pytest

from supervisor.settings import cost
from supervisor.settings.config import Worker
from tests.settings.folder import MINIMAL, Folder

MANIFEST = '[characters]\nentity = "region/realm/name"\nrequests = 5\nrounds = 2\n'
CHARACTERS = Worker(name="characters", job="jobs.characters", tag="osint")


def status(**more: Any) -> dict[str, Any]:
    since_start = {
        "outcomes": {"done": 300, "gone": 100, "retry": 5},
        "job_seconds": {"sum": 120.0, "count": 405},
        "round_trip_seconds": {"sum": 160.0, "count": 1600},
        "permit_wait_seconds": {"sum": 0.0, "count": 1200},
    }
    return {"limited_by": "concurrency", "per_s": 8.0, "since_start": since_start | more}


def measured(found: dict[str, Any]) -> cost.Cost:
    result = cost.measured(CHARACTERS, found, least=100)
    assert result is not None
    return result


def test_nominal_requests_and_rounds_are_the_manifests(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST)
    config = folder.load(MINIMAL)
    found = cost.nominal(config, config.workers["characters"], 0.1)
    assert (found.requests, found.round_trip_s, found.measured_jobs) == (5.0, 0.1, 0)
    assert found.job_s == pytest.approx(0.1 + 0.1 * 1.452 + cost.OWN_S)


def test_without_rounds_requests_go_one_after_another(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST.replace("rounds = 2\n", ""))
    config = folder.load(MINIMAL)
    found = cost.nominal(config, config.workers["characters"], 0.1)
    assert found.job_s == pytest.approx(5 * 0.1 + cost.OWN_S)


def test_a_worker_that_only_schedules_feed_is_offered_what_they_bring(folder: Folder) -> None:
    config = folder.load(MINIMAL + '[schedules.often]\nworker = "characters"\nevery = "10s"\n')
    assert cost.nominal(config, config.workers["characters"]).offered_per_s == pytest.approx(0.1)


def test_measured_jobs_cost_what_they_cost() -> None:
    found = measured(status())
    assert (found.requests, found.round_trip_s, found.measured_jobs) == (4.0, 0.1, 400)
    assert found.job_s == pytest.approx(0.3 + cost.TURN_S)
    assert found.offered_per_s is None


def test_the_wait_for_permits_is_no_part_of_a_job() -> None:
    found = measured(status(permit_wait_seconds={"sum": 60.0, "count": 1200}))
    assert found.job_s == pytest.approx(0.3 - 0.05 + cost.TURN_S)


def test_a_job_is_never_shorter_than_its_round_trips() -> None:
    found = measured(status(permit_wait_seconds={"sum": 600.0, "count": 1200}))
    assert found.job_s == pytest.approx(2 * 0.1 + cost.TURN_S)


def test_an_empty_queue_means_that_no_more_is_offered() -> None:
    assert measured(status() | {"limited_by": "nothing to do"}).offered_per_s == 8.0


@pytest.mark.parametrize("more", [{"outcomes": {"done": 99}}, {"round_trip_seconds": {"sum": 0.0, "count": 0}}])
def test_too_little_is_not_measured(more: dict[str, Any]) -> None:
    assert cost.measured(CHARACTERS, status(**more), least=100) is None


def test_a_job_may_send_no_request(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST.replace("requests = 5", "requests = 0"))
    config = folder.load(MINIMAL)
    found = cost.nominal(config, config.workers["characters"], 0.1)
    assert (found.requests, found.job_s) == (0.0, cost.OWN_S)
    assert not config.workers["characters"].sends_requests
