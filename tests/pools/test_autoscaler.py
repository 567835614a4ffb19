"""What people and events do to a worker under autoscale: edits, pauses, pins, restarts, removal, alerts."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from supervisor.pools.alerts import MOST, SILENCE_S, Alert
from supervisor.settings.config import AUTO, Autoscale
from tests.pools.plant import Stand, config_of

BOUNDS = Autoscale(max=6, waiting_above=1_000_000, cooldown_s=10.0)  # so that only alerts move it


def alert(*, number: int = 1, is_firing: bool = True, worker: str = "characters", hour: int = 10) -> Alert:
    return Alert(
        fingerprint=f"fingerprint-{number}",
        starts_at=f"2026-11-24T{hour}:00:00Z",
        worker=worker,
        name="Backlog",
        is_firing=is_firing,
    )


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    stand = Stand(tmp_path, bounds=BOUNDS, concurrency=3)
    stand.plant.per_s = 500.0
    stand.run(10)
    return stand


def kept(stand: Stand) -> dict[str, object]:
    stand.overrides.save()
    path = stand.folder / "overrides.toml"
    return tomllib.loads(path.read_text()) if path.exists() else {}


def test_an_alert_lifts_by_one_step_and_its_end_takes_that_back(stand: Stand) -> None:
    [answer] = stand.scaler.take_alerts([alert()])
    assert (answer.action, answer.before, answer.after) == ("moved", 3, 4)
    assert answer.why == "alert Backlog and the keys have room"
    stand.run(60)
    assert stand.plant.concurrency == 4
    [answer] = stand.scaler.take_alerts([alert(is_firing=False)])
    assert (answer.action, answer.before, answer.after) == ("moved", 4, 3)
    stand.run(60)
    assert stand.plant.concurrency == 3


def test_repeats_of_an_alert_change_nothing(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    for _ in range(5):
        stand.run(20)
        [answer] = stand.scaler.take_alerts([alert()])
        assert answer.action == "counted"
    assert stand.plant.concurrency == 4
    stand.scaler.take_alerts([alert(is_firing=False)] * 3)
    stand.run(20)
    [answer] = stand.scaler.take_alerts([alert()])
    assert answer.action == "counted"  # a late repeat of what is over
    stand.run(20)
    assert stand.plant.concurrency == 3


def test_a_second_alert_waits_for_the_cooldown_and_says_so(stand: Stand) -> None:
    answers = stand.scaler.take_alerts([alert(number=1), alert(number=2), alert(number=3)])
    assert [answer.action for answer in answers] == ["moved", "waits", "waits"]
    assert "cooldown for another 10 s" in answers[1].why
    assert "one step at a time" in answers[2].why
    stand.run(30)
    assert stand.plant.concurrency == 6


def test_alerts_never_lift_beyond_max(stand: Stand) -> None:
    for number in range(9):
        stand.scaler.take_alerts([alert(number=number)])
        stand.run(20)
    assert stand.plant.concurrency == 6
    for number in range(9):
        stand.scaler.take_alerts([alert(number=number, is_firing=False)])
    stand.run(20)
    assert stand.plant.concurrency == 3


@pytest.mark.parametrize("quota", ["second", "hour"])
def test_an_alert_lifts_nothing_while_a_quota_binds_and_is_served_when_there_is_room(stand: Stand, quota: str) -> None:
    stand.plant.per_s, stand.plant.spent = 2.0, quota
    stand.run(20)
    [answer] = stand.scaler.take_alerts([alert()])
    assert answer.action == "waits"
    assert f"the keys' {quota} is the limit" in answer.why
    stand.plant.per_s = 500.0
    stand.run(20)
    assert stand.plant.concurrency == 4


def test_an_alert_that_ends_before_it_was_served_moves_nothing(stand: Stand) -> None:
    stand.plant.per_s = 2.0
    stand.run(20)
    stand.scaler.take_alerts([alert()])
    stand.scaler.take_alerts([alert(is_firing=False)])
    stand.plant.per_s = 500.0
    stand.run(40)
    assert stand.moves == []


def test_an_alert_of_which_nobody_speaks_for_a_day_counts_as_resolved(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.clock.jump_wall(SILENCE_S + 60)
    stand.run(20)
    assert stand.plant.concurrency == 3


def test_an_alert_that_fires_again_after_it_was_resolved_counts_again(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.scaler.take_alerts([alert(is_firing=False)])
    stand.run(30)
    [answer] = stand.scaler.take_alerts([alert(hour=11)])
    assert (answer.action, answer.after) == ("moved", 4)


def test_an_alert_that_starts_anew_without_an_end_lifts_nothing_more(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.run(30)
    [answer] = stand.scaler.take_alerts([alert(hour=11)])
    assert (answer.action, answer.after) == ("counted", 4)
    stand.scaler.take_alerts([alert(is_firing=False)])  # the old one's end, late
    stand.run(30)
    assert stand.plant.concurrency == 4
    stand.scaler.take_alerts([alert(hour=11, is_firing=False)])
    stand.run(30)
    assert stand.plant.concurrency == 3


def test_an_alert_without_a_worker_of_ours_is_ignored_aloud(stand: Stand) -> None:
    [answer] = stand.scaler.take_alerts([alert(worker="charcters")])
    assert answer.action == "ignored"
    assert "label worker or queue; there are characters" in answer.why
    assert stand.noted[-1]["level"] == "warning"


def test_a_worker_without_a_table_is_not_moved_by_alerts(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=BOUNDS)
    stand.scaler.apply(config_of(bounds=None, concurrency=3))
    [answer] = stand.scaler.take_alerts([alert()])
    assert answer.action == "ignored"
    assert "[workers.characters.autoscale]" in answer.why


def test_auto_needs_no_alerts(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=AUTO)
    stand.run(40)
    before = stand.plant.concurrency
    [answer] = stand.scaler.take_alerts([alert()])
    assert (answer.action, stand.plant.concurrency) == ("none", before)


def test_the_book_of_alerts_is_bounded(stand: Stand) -> None:
    stand.scaler.take_alerts([alert(number=number) for number in range(MOST + 50)])
    assert len(kept(stand)["alerts"]) == MOST  # type: ignore[arg-type]  # a list of tables


def test_a_move_survives_a_restart_and_so_does_what_was_counted(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.start(config_of(bounds=BOUNDS, concurrency=3))
    assert stand.plant.concurrency == 4
    statistics = stand.scaler.statistics()["characters"]
    assert (statistics.who, statistics.why) == ("alert Backlog", "alert Backlog and the keys have room")
    assert statistics.alerts == ("Backlog",)
    [answer] = stand.scaler.take_alerts([alert()])
    assert answer.action == "counted"
    stand.scaler.take_alerts([alert(is_firing=False)])
    stand.run(20)
    assert stand.plant.concurrency == 3
    assert "moves" not in kept(stand)


def test_after_a_restart_the_cooldown_holds_too(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.start(config_of(bounds=BOUNDS, concurrency=3))
    [answer] = stand.scaler.take_alerts([alert(number=2)])
    assert answer.action == "waits"


def test_damaged_moves_are_as_if_they_had_not_been(stand: Stand) -> None:
    (stand.folder / "overrides.toml").write_text('moves = { characters = "seven" }\nalerts = [{ id = 3 }]\n')
    stand.start(config_of(bounds=BOUNDS, concurrency=3))
    assert stand.plant.concurrency == 3


def test_a_persons_new_number_is_where_it_goes_on_from(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.scaler.apply(config_of(bounds=BOUNDS, concurrency=5))
    assert stand.plant.concurrency == 5
    stand.run(60)
    stand.scaler.take_alerts([alert(is_firing=False)])  # its lift ended with the edit
    stand.run(60)
    assert stand.plant.concurrency == 5


def test_the_same_number_said_again_ends_a_move_too(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.scaler.restart("characters")
    assert stand.plant.concurrency == 3
    assert "moves" not in kept(stand)


def test_auto_said_again_changes_nothing(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=AUTO)
    stand.run(60)
    before = stand.plant.concurrency
    stand.scaler.restart("characters")
    assert stand.plant.concurrency == before != AUTO.min


def test_an_edit_of_anything_else_leaves_a_move_alone(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.scaler.apply(config_of(bounds=BOUNDS, concurrency=3, weight=7.0))
    assert stand.plant.concurrency == 4


def test_new_bounds_hold_at_once(stand: Stand) -> None:
    for number in range(3):
        stand.scaler.take_alerts([alert(number=number)])
        stand.run(20)
    assert stand.plant.concurrency == 6
    stand.scaler.apply(config_of(bounds=msgspec.structs.replace(BOUNDS, max=4), concurrency=3))
    assert stand.plant.concurrency == 4


def test_without_its_table_a_worker_is_as_written(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.scaler.apply(config_of(bounds=None, concurrency=3))
    assert stand.plant.concurrency is None
    assert stand.scaler.statistics() == {}
    assert "moves" not in kept(stand)


def test_a_removed_worker_takes_its_moves_and_alerts_along(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.scaler.apply(msgspec.structs.replace(config_of(bounds=BOUNDS), workers={}))
    assert kept(stand) == {}
    stand.scaler.apply(config_of(bounds=BOUNDS, concurrency=3))
    assert stand.plant.concurrency == 3


def test_a_paused_worker_keeps_its_place_and_does_not_move(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    stand.run(20)
    stand.scaler.apply(config_of(bounds=BOUNDS, concurrency=3, paused=True))
    [answer] = stand.scaler.take_alerts([alert(number=2)])
    assert (answer.action, answer.why) == ("waits", "paused")
    stand.run(60)
    stand.scaler.apply(config_of(bounds=BOUNDS, concurrency=3))
    stand.run(20)
    assert stand.plant.concurrency == 5


def test_a_pinned_number_is_not_moved(tmp_path: Path) -> None:
    pinned = {"workers.characters.concurrency": "CHARACTERS_WORKER_CONCURRENCY"}
    stand = Stand(tmp_path, bounds=Autoscale(cooldown_s=5.0), concurrency=3, pinned=pinned)
    stand.plant.per_s = 500.0
    stand.run(60)
    assert stand.moves == []
    assert stand.why == "pinned by CHARACTERS_WORKER_CONCURRENCY"


def test_a_zero_in_the_file_stops_a_worker_whatever_min_says(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=Autoscale(cooldown_s=5.0), concurrency=0)
    stand.run(30)
    assert stand.scaler.take_alerts([alert()])[0].action == "waits"
    assert stand.plant.concurrency == 0
    assert "stops it" in stand.why


def test_pinned_to_auto_moves(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=AUTO, pinned={"workers.characters.concurrency": "command line"})
    stand.run(60)
    assert stand.moves


def test_without_a_ready_replica_nothing_moves(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=AUTO)
    stand.plant.replicas = 0
    stand.run(60)
    assert (stand.moves, stand.why) == ([], "no replica is ready")


def test_a_move_is_told_with_its_reason(stand: Stand) -> None:
    stand.scaler.take_alerts([alert()])
    [told] = [event for event in stand.noted if event["event"] == "concurrency_moved"]
    assert told == {
        "event": "concurrency_moved",
        "worker": "characters",
        "before": 3,
        "after": 4,
        "cause": "wanted",
        "who": "alert Backlog",
        "why": "alert Backlog and the keys have room",
    }


async def test_a_frozen_autoscaler_ends(stand: Stand) -> None:
    stand.scaler.freeze()
    await stand.scaler.run()
