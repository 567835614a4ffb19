"""Doctored results make the auditor of rows object; times of our own do not."""

from pathlib import Path

import pytest

from scripts.soaking.audits.rows import different, empty, twice
from tests.soaking.tables import state, write

GUILD = (
    "INSERT INTO guilds (region, realm, name, id, member_count, changed_at, last_attempt_at, summary_success_at)"
    " VALUES ('eu', 'silvermoon', 'owls', 1, ?, ?, ?, ?)"
)
EVENT = "INSERT INTO events VALUES ('eu/silvermoon/owls', 'LEAVE', 'eu/silvermoon/bob', '3', '', 1.0, ?, ?, 1)"
AUCTION = (
    "INSERT INTO auctions (region, realm, auction_id, item_id, quantity, time_left, first_snapshot, last_snapshot)"
    " VALUES ('eu', 509, 1, 2, ?, 1, 7, 8)"
)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return state(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return state(tmp_path / "theirs")


def test_our_own_times_do_not_count(ours: Path, theirs: Path) -> None:
    write(ours, GUILD, 40, 1.0, 2.0, 3.0)
    write(theirs, GUILD, 40, 10.0, 20.0, 30.0)
    assert different(ours, theirs) == []


def test_time_that_is_set_in_one_run_only_is_found(ours: Path, theirs: Path) -> None:
    write(ours, GUILD, 40, 1.0, 2.0, None)
    write(theirs, GUILD, 40, 1.0, 2.0, 3.0)
    assert len(different(ours, theirs)) == 1


def test_value_that_differs_is_found_with_both_rows(ours: Path, theirs: Path) -> None:
    write(ours, GUILD, 40, 1.0, 2.0, 3.0)
    write(theirs, GUILD, 41, 1.0, 2.0, 3.0)
    (finding,) = different(ours, theirs)
    assert finding.startswith("guilds: 1 rows that the run without faults has not, 1 that it has alone: only here")


def test_missing_row_of_the_second_file_is_found(ours: Path, theirs: Path) -> None:
    write(theirs, AUCTION, 5, file="market")
    (finding,) = different(ours, theirs)
    assert finding.startswith("auctions: 0 rows")


def test_history_that_says_something_twice_is_found_both_ways(ours: Path, theirs: Path) -> None:
    write(ours, EVENT, 5.0, 1)
    write(ours, EVENT, 6.0, 2)
    write(theirs, EVENT, 7.0, 9)
    assert len(different(ours, theirs)) == 1
    (finding,) = twice(ours)
    assert finding.startswith("history says 2 times: ")
    assert twice(theirs) == []


def test_table_that_no_audit_knows_is_found(ours: Path, theirs: Path) -> None:
    write(ours, "CREATE TABLE mysteries (id INTEGER)")
    assert different(ours, theirs) == ["gatherer.db has a table that no audit knows: mysteries"]


def test_table_without_rows_is_found(ours: Path) -> None:
    assert "guilds has no rows to compare" in empty(ours)
    write(ours, GUILD, 40, 1.0, 2.0, 3.0)
    assert "guilds has no rows to compare" not in empty(ours)
