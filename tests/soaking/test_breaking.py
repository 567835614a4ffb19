"""What the soak does to API and world is understood there, and never a 429."""

from pathlib import Path
from random import Random

from scripts.soaking.feeding import Ledger
from scripts.soaking.plan import LEAST_NAMES, parse
from scripts.soaking.reporting import put
from scripts.soaking.weather import FEW, Weather
from scripts.soaking.worlds import LEAVE, RENAME, VANISH, Worklist
from tests.soaking.fake_world import FakeWorld


def test_every_fault_that_the_dice_can_bring_is_understood_and_none_is_a_429() -> None:
    fake = FakeWorld()
    weather = Weather(fake.as_world(), Random(1))
    seen = set()
    for _ in range(300):
        weather.change()
        for rule in fake.faults.rules:
            assert rule.status != 429
            assert rule.share < 1.0 or rule.times is not None, "something must always get through"
            assert not ((rule.times or 0) > FEW and rule.match.search("token")), "tokens are asked for too seldom"
            seen.add(rule.do)
    assert seen == {"status", "reset", "cut", "slow", "delay", "html", "empty404", "malformed"}
    weather.clear()
    assert fake.faults.rules == []


def test_faults_are_counted_as_often_as_they_struck() -> None:
    fake = FakeWorld()
    weather = Weather(fake.as_world(), Random(2))
    while not fake.faults.rules:
        weather.change()
    for rule in fake.faults.rules:
        rule.applied = 3
    rules = len(fake.faults.rules)
    weather.clear()
    weather.revoke()
    assert weather.done.total() == 3 * rules + 1
    assert fake.revoked == ["osint-1"]


def test_change_of_the_world_moves_people_and_asks_for_old_and_new_names() -> None:
    fake = FakeWorld()
    worklist = Worklist(fake.as_world(), parse(["--seed", "3"]))
    before = set(worklist.all())
    now = fake.world.clock.now()
    worklist.change()
    assert fake.world.clock.now() == now + 86_400.0
    after = set(worklist.all())
    assert before < after
    renamed = {entity for kind, entity in after - before if kind == "characters"}
    assert len(renamed) == RENAME
    assert all(entity.endswith("new") for entity in renamed)
    assert len(worklist.changed) == LEAVE + 2 * RENAME + VANISH
    assert all(fake.world.find(*entity.split("/")) is not None for entity in renamed)


def test_two_worlds_of_one_seed_are_asked_for_the_same() -> None:
    plan = parse(["--seed", "3"])
    first, second = (Worklist(FakeWorld().as_world(), plan) for _ in range(2))
    assert first.all() == second.all()
    first.change()
    second.change()
    assert first.changed == second.changed


def test_short_soak_has_people_enough_and_load_scales_a_long_one() -> None:
    assert parse(["--minutes", "0.1"]).names == LEAST_NAMES
    assert parse(["--minutes", "30", "--load", "0.5"]).names * 2 == parse(["--minutes", "30"]).names


def test_ledger_keeps_what_was_acknowledged_with_its_moment() -> None:
    ledger = Ledger()
    ledger.note([("items", "eu/1"), ("items", "eu/2")], 7.0)
    assert [(each.kind, each.entity, each.asked_at) for each in ledger.entries()] == [
        ("items", "eu/1", 7.0),
        ("items", "eu/2", 7.0),
    ]


def test_report_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n## The last run\n\nold\n")
    put(page, "new\n")
    assert page.read_text() == "# Page\n\n## The last run\n\nnew\n"
    put(tmp_path / "none yet.md", "new\n")
    assert (tmp_path / "none yet.md").read_text() == "## The last run\n\nnew\n"
