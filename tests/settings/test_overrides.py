"""What people said at run time, over a restart."""

from pathlib import Path

from supervisor.settings.overrides import FILE, Overrides
from tests.limiter.support import config, key, worker

NOON = 1_764_072_000.0


def test_what_people_said_is_known_to_the_next_run_and_can_be_taken_back(tmp_path: Path) -> None:
    written = config(key("a"), key("b"), worker("characters"), worker("items", "osint"))
    first = Overrides(tmp_path)
    first.set_paused("items", True, NOON)
    first.set_disabled("b", True, NOON)
    second = Overrides(tmp_path)
    in_force = second.applied_to(written)
    assert [one.disabled for one in in_force.keys] == ["", "2025-11-25 12:00 UTC"]
    assert [one.paused for one in in_force.workers.values()] == [False, True]
    second.set_disabled("b", False, NOON)
    in_force = Overrides(tmp_path).applied_to(written)
    assert [one.disabled for one in in_force.keys] == ["", ""]
    assert in_force.workers["items"].paused


def test_a_damaged_file_is_set_aside_and_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[disabled\n")
    written = config()
    assert Overrides(tmp_path).applied_to(written) == written
    assert (tmp_path / FILE).with_suffix(".damaged").exists()
