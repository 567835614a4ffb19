"""What `plan` computes, by hand-made examples."""

import msgspec
import pytest

from supervisor.settings.config import Config
from supervisor.settings.cost import Cost
from supervisor.settings.plan import Plan, WorkerPlan, one_key_per_region, plan
from tests.settings.folder import KEY, WORKER, Folder

GUILDS = WORKER.replace("characters", "guilds")
JOB = Cost(requests=4.0, job_s=0.25, round_trip_s=0.1)


def keys(count: int, **more: str) -> str:
    lines = "".join(f'{name} = "{text}"\n' for name, text in more.items())
    return "".join(KEY.replace("-1", f"-{number}") + lines for number in range(1, count + 1))


def planned(config: Config, **costs: Cost) -> tuple[Plan, dict[str, WorkerPlan]]:
    found = plan(config, {name: costs.get(name, JOB) for name in config.workers})
    return found, {worker.name: worker for worker in found.workers}


def test_a_tag_bursts_by_its_short_window_and_lasts_by_its_long_one(folder: Folder) -> None:
    found, _ = planned(folder.load(keys(5) + WORKER))
    [tag] = found.tags
    assert (tag.burst_per_s, tag.burst_s, tag.sustained_per_s, tag.binds_s) == (500.0, 360.0, 50.0, 3600.0)
    assert tag.granted_per_s == pytest.approx(500 / 1.1)


def test_a_single_window_has_no_end_to_its_burst(folder: Folder) -> None:
    api = '[apis.blizzard]\nwindows = [{ requests = 100, per = "1s" }]\n'
    found, _ = planned(folder.load(api + keys(1) + WORKER))
    assert (found.tags[0].burst_s, found.tags[0].binds_s) == (None, 1.0)


def test_slots_limit_until_there_are_as_many_as_littles_law_asks_for(folder: Folder) -> None:
    """100/s granted at 90.9 are 22.7 jobs/s; each takes 0.25 s, so 5.7 run at once."""
    text = keys(1) + WORKER + "replicas = 2\nconcurrency = "
    _, few = planned(folder.load(text + "2"))
    _, enough = planned(folder.load(text + "3"))
    assert few["characters"].limited_by == "concurrency"
    assert few["characters"].burst_per_s == pytest.approx(16.0)
    assert (few["characters"].concurrency_needed, few["characters"].slots_per_s) == (3, 16.0)
    assert enough["characters"].limited_by == "keys"
    assert enough["characters"].burst_per_s == pytest.approx(22.727, 1e-4)


@pytest.mark.parametrize("written", ['"auto"', "1\nautoscale = { max = 9 }"])
def test_a_worker_under_autoscale_is_planned_with_the_most_it_may_have(folder: Folder, written: str) -> None:
    _, workers = planned(folder.load(keys(1) + WORKER + f"replicas = 2\nconcurrency = {written}"))
    assert workers["characters"].limited_by == "keys"
    assert workers["characters"].concurrency in (9, 32)


def test_targets_decide_how_many_keys_are_needed(folder: Folder) -> None:
    found, workers = planned(folder.load(keys(2) + WORKER + "target_per_s = 12\nconcurrency = 9"))
    assert (found.tags[0].wanted_per_s, found.tags[0].keys_needed) == (48.0, 5)
    assert workers["characters"].target == "in a burst"


@pytest.mark.parametrize(("target_per_s", "verdict"), [(4, "for ever"), (20, "in a burst"), (40, "missed")])
def test_a_target_is_met_for_ever_in_a_burst_or_not(folder: Folder, target_per_s: int, verdict: str) -> None:
    text = keys(2) + WORKER + f"target_per_s = {target_per_s}\nconcurrency = 6"
    _, workers = planned(folder.load(text))
    assert workers["characters"].target == verdict


def test_targets_are_judged_with_the_others_at_theirs(folder: Folder) -> None:
    """With endless guilds half of the keys would be theirs; with 2 guilds/s the characters reach their 20."""
    text = keys(1) + WORKER + "target_per_s = 20\nconcurrency = 9" + GUILDS + "target_per_s = 2\nconcurrency = 9"
    _, workers = planned(folder.load(text), guilds=Cost(requests=2.0, job_s=0.1, round_trip_s=0.1))
    assert workers["characters"].burst_per_s == pytest.approx(100 / 1.1 / 2 / 4)
    assert workers["characters"].target == "in a burst"


def test_a_paused_worker_takes_nothing(folder: Folder) -> None:
    _, workers = planned(folder.load(keys(1) + WORKER + "concurrency = 9" + GUILDS + "paused = true\n"))
    assert (workers["guilds"].burst_per_s, workers["guilds"].limited_by) == (0.0, "paused")
    assert workers["characters"].burst_per_s == pytest.approx(22.727, 1e-4)


def test_what_is_offered_limits_and_leaves_the_rest_to_others(folder: Folder) -> None:
    config = folder.load(keys(1) + WORKER + "concurrency = 9" + GUILDS + "concurrency = 9")
    few = msgspec.structs.replace(JOB, offered_per_s=5.0)
    _, workers = planned(config, guilds=few)
    assert workers["guilds"].burst_per_s == pytest.approx(5.0)
    assert workers["guilds"].limited_by == "offered"
    assert workers["characters"].burst_per_s == pytest.approx(100 / 1.1 / 4 - 5)


def test_no_replicas_do_nothing_and_divide_by_nothing(folder: Folder) -> None:
    _, workers = planned(folder.load(keys(1) + WORKER + "replicas = 0"))
    assert (workers["characters"].burst_per_s, workers["characters"].slots_per_s) == (0.0, 0.0)


def test_a_worker_that_sends_nothing_takes_nothing_of_the_keys_and_is_limited_by_its_slots(folder: Folder) -> None:
    nothing = Cost(requests=0.0, job_s=0.1, round_trip_s=0.1)
    _, workers = planned(folder.load(keys(1) + WORKER + "replicas = 2\nconcurrency = 3"), characters=nothing)
    worker = workers["characters"]
    assert (worker.burst_per_s, worker.sustained_per_s, worker.limited_by) == (60.0, 60.0, "concurrency")


def test_one_key_a_region_serves_every_tag_that_had_keys_there(folder: Folder) -> None:
    text = keys(2) + KEY.replace("-1", "-3").replace('"osint"', '"dma"') + 'regions = ["us", "eu"]\n' + WORKER
    lawful = one_key_per_region(folder.load(text + GUILDS.replace('"osint"', '"dma"')))
    assert [(key.regions, key.tags) for key in lawful.keys] == [(("eu",), ("osint", "dma")), (("us",), ("dma",))]


def test_the_plan_shows_what_one_key_a_region_would_do(folder: Folder) -> None:
    found, workers = planned(folder.load(keys(5) + WORKER + "concurrency = 64"))
    assert workers["characters"].sustained_per_s == pytest.approx(12.5, 1e-3)
    assert found.one_key_per_region[0].sustained_per_s == pytest.approx(2.5, 1e-3)
    assert found.regions == ("eu",)


def test_a_plan_is_json(folder: Folder) -> None:
    found, _ = planned(folder.load(keys(1) + WORKER))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Plan) == found
