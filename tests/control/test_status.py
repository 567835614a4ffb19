"""The status: what holds a worker back, and the JSON that everybody reads."""

import dataclasses
import json

import pytest

from supervisor.control.limits import limited_by
from supervisor.control.metrics import Metrics
from supervisor.control.snapshot import Reload, Snapshot
from supervisor.control.status import status_of
from supervisor.core.messages.replica_supervisor import Tally
from supervisor.core.messages.supervisor_database import Pulse
from supervisor.limiter.hosts import HostStatistics
from supervisor.limiter.statistics import LimiterStatistics
from supervisor.pools.statistics import PoolsStatistics
from tests.control.snapshots import SECRET, config_of, key_of, moved_of, permits_of, pool_of, snapshot_of
from tests.support.clock import FakeClock


def with_permits(snapshot: Snapshot, limited: str, *, is_kept_waiting: bool = False) -> Snapshot:
    permits = permits_of(limited, is_kept_waiting=is_kept_waiting)
    limiter = LimiterStatistics(keys=(key_of(),), workers={"characters": permits}, permits_out=0)
    return dataclasses.replace(snapshot, limiter=limiter)


def with_pulse(snapshot: Snapshot, pulse: Pulse | None) -> Snapshot:
    return dataclasses.replace(snapshot, database=dataclasses.replace(snapshot.database, pulse=pulse))


def with_pool(snapshot: Snapshot, **more: object) -> Snapshot:
    pools = PoolsStatistics(
        workers={"characters": pool_of(**more)}, zygote_pids=(), zygote_generation=1, zygote_deaths=0
    )
    return dataclasses.replace(snapshot, pools=pools)


@pytest.mark.parametrize("word", ["hour", "second", "no key"])
def test_a_spent_window_is_what_limits(clock: FakeClock, word: str) -> None:
    assert limited_by(with_permits(snapshot_of(clock), word), "characters") == word


def test_a_pause_counts_before_everything_else(clock: FakeClock) -> None:
    snapshot = with_permits(snapshot_of(clock, config=config_of(paused=True)), "hour")
    assert limited_by(snapshot, "characters") == "paused"


def test_without_a_ready_replica_nothing_else_matters(clock: FakeClock) -> None:
    snapshot = with_pool(with_permits(snapshot_of(clock), "hour"), effective_replicas=0)
    assert limited_by(snapshot, "characters") == "no replica"


def test_an_empty_queue_leaves_nothing_to_do(clock: FakeClock) -> None:
    snapshot = with_pulse(snapshot_of(clock), Pulse({"characters": {"executing": [0, 0, 2]}}, {}, 0.001, 0, 1))
    assert limited_by(snapshot, "characters") == "nothing to do"


def test_slow_commits_are_the_databases_limit(clock: FakeClock) -> None:
    slow = Pulse({"characters": {"available": [0, 0, 9]}}, {}, 0.9, 0, 1)
    assert limited_by(with_pulse(snapshot_of(clock), slow), "characters") == "database"


def test_with_quota_and_work_left_concurrency_limits(clock: FakeClock) -> None:
    assert limited_by(snapshot_of(clock), "characters") == "concurrency"


def test_between_two_bursts_the_second_still_limits(clock: FakeClock) -> None:
    kept_waiting = with_permits(snapshot_of(clock), "", is_kept_waiting=True)
    assert limited_by(kept_waiting, "characters") == "second"
    idle = with_pulse(kept_waiting, Pulse({"characters": {"executing": [0, 0, 2]}}, {}, 0.001, 0, 1))
    assert limited_by(idle, "characters") == "nothing to do"


def test_the_status_has_what_the_design_names(clock: FakeClock) -> None:
    snapshot = snapshot_of(clock)
    snapshot.measurements.add("characters", Tally({"done": 50, "skipped": 9, "retry": 2}, [0.2] * 61, saved=36))
    status = json.loads(json.dumps(status_of(snapshot)))
    worker = status["workers"]["characters"]
    assert worker["entity"] == "region/realm/name"
    assert worker["desired"] == {"concurrency": 2, "replicas": 5}
    assert worker["effective"] == {"concurrency": 2, "replicas": 4}
    assert worker["queue"] == {"available": 1204, "executing": 8, "discarded": 3}
    assert worker["waiting"] == {"urgent": 0, "normal": 4, "background": 1200}
    assert worker["last_minute"] == {
        "succeeded": 59,
        "failed": 2,
        "outcomes": {"done": 50, "skipped": 9, "retry": 2},
        "problem": "",
    }
    assert worker["since_start"]["requests_saved"] == 36
    assert status["keys"][0]["windows"][1] | {"used": 9000, "limit": 36_000} == status["keys"][0]["windows"][1]
    assert status["config"]["generation"] == 3
    assert status["config"]["last_reload"]["ok"] is True
    assert status["memory_pss_bytes"] == {
        "supervisor": 50_000_000,
        "characters": 20_000_000,
        "zygote": 30_000_000,
        "database": 10_000_000,
    }


def test_a_refused_reload_is_shown_with_its_problems(clock: FakeClock) -> None:
    status = status_of(snapshot_of(clock, reload=Reload(at=5.0, errors=("config.toml:3: no",))))
    assert status["config"]["last_reload"] == {"ok": False, "at": 5.0, "errors": ["config.toml:3: no"], "changes": []}


def test_what_an_edit_changed_and_what_waits_for_a_restart_is_shown(clock: FakeClock) -> None:
    reload = Reload(at=5.0, changes=("workers.characters.concurrency: 2 → 3 (resized in place)",))
    config = status_of(snapshot_of(clock, reload=reload, needs_restart=("server.listen is …",)))["config"]
    assert config["last_reload"]["changes"] == ["workers.characters.concurrency: 2 → 3 (resized in place)"]
    assert config["needs_restart"] == ["server.listen is …"]


def test_before_the_first_pulse_there_is_a_status_too(clock: FakeClock) -> None:
    status = status_of(with_pulse(snapshot_of(clock), None))
    assert status["workers"]["characters"]["queue"] == {}
    assert status["database"]["commit_p99_s"] is None


def test_the_status_says_who_moved_concurrency_and_why(clock: FakeClock) -> None:
    status = status_of(snapshot_of(clock, autoscale={"characters": moved_of()}))["workers"]["characters"]
    assert status["desired"]["concurrency"] == "auto"
    assert status["autoscale"]["who"] == "autoscale"
    assert status["autoscale"]["why"] == "1,240 jobs wait and the keys have room"
    assert json.loads(json.dumps(status["autoscale"]))["alerts"] == ["Backlog"]


def test_a_worker_that_nothing_may_move_says_so(clock: FakeClock) -> None:
    assert status_of(snapshot_of(clock))["workers"]["characters"]["autoscale"] is None


def test_no_secret_is_in_the_status(clock: FakeClock) -> None:
    assert SECRET not in json.dumps(status_of(snapshot_of(clock)))


def test_a_host_that_is_down_is_in_the_status_and_in_the_metrics(clock: FakeClock) -> None:
    host = HostStatistics(
        host="eu.example",
        api="blizzard",
        is_down=True,
        down_for_s=60.0,
        failed=11,
        of=20,
        why="no answer",
        next_probe_in_s=7.0,
    )
    snapshot = with_permits(snapshot_of(clock), "api down")
    snapshot = dataclasses.replace(snapshot, limiter=dataclasses.replace(snapshot.limiter, hosts=(host,)))
    status = status_of(snapshot)
    assert status["hosts"][0]["state"] == "down"
    assert status["hosts"][0]["down_since"] == snapshot.now - 60.0
    assert status["workers"]["characters"]["limited_by"] == "api down"
    assert b'gatherer_host_up{host="eu.example"} 0.0' in Metrics(lambda: snapshot).text()
