"""A doctored queue makes the auditor of jobs object."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scripts.soaking.audits.jobs import Accepted, effects, lost, strange
from tests.soaking.tables import job, state, write

ALICE = Accepted("characters", "eu/silvermoon/alice", 50.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return state(tmp_path / "state")


@pytest.fixture
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "gatherer.db")) as connection:
        yield connection


@pytest.mark.parametrize("fate", ["completed", "discarded", "available", "scheduled", "retryable"])
def test_accepted_job_with_a_fate_is_no_finding(folder: Path, database: sqlite3.Connection, fate: str) -> None:
    job(folder, ALICE.kind, ALICE.entity, fate, error="because")
    assert lost(database, [ALICE]) == []
    assert strange(database) == []


def test_accepted_job_that_is_nowhere_is_lost(folder: Path, database: sqlite3.Connection) -> None:
    job(folder, ALICE.kind, "eu/silvermoon/bob", "completed")
    assert lost(database, [ALICE]) == [
        "lost: characters eu/silvermoon/alice, accepted at 50.0; of it is there: nothing"
    ]


def test_job_that_ended_before_it_was_asked_for_again_does_not_count(
    folder: Path, database: sqlite3.Connection
) -> None:
    job(folder, ALICE.kind, ALICE.entity, "completed", finished_at=49.0)
    assert len(lost(database, [ALICE])) == 1


@pytest.mark.parametrize("fate", ["cancelled", "executing"])
def test_job_that_nobody_ended_or_that_still_executes_is_lost_and_strange(
    folder: Path, database: sqlite3.Connection, fate: str
) -> None:
    job(folder, ALICE.kind, ALICE.entity, fate)
    assert len(lost(database, [ALICE])) == 1
    assert strange(database) == [f"1 jobs of characters are {fate} after the drain"]


def test_discard_without_a_reason_is_strange(folder: Path, database: sqlite3.Connection) -> None:
    job(folder, ALICE.kind, ALICE.entity, "discarded")
    assert strange(database) == ["job 1 (characters eu/silvermoon/alice) was discarded without a reason"]


def test_two_unfinished_jobs_for_one_thing_are_strange(folder: Path, database: sqlite3.Connection) -> None:
    write(folder, "DROP INDEX jobs_unfinished")
    job(folder, ALICE.kind, ALICE.entity, "available")
    job(folder, ALICE.kind, ALICE.entity, "retryable")
    assert strange(database) == ["2 unfinished jobs for one thing: characters eu/silvermoon/alice"]


def test_counts_that_differ_from_the_jobs_are_strange(folder: Path, database: sqlite3.Connection) -> None:
    job(folder, ALICE.kind, ALICE.entity, "completed")
    write(folder, "UPDATE job_counts SET n = 2")
    assert len(strange(database)) == 1


def test_effect_twice_and_completion_without_effect_are_found(folder: Path, database: sqlite3.Connection) -> None:
    for deed in ("d1", "d1", "d2"):
        write(folder, "INSERT INTO deed_effects VALUES (?, 1, 0.0)", deed)
    for deed in ("d1", "d2", "d3"):
        job(folder, "deeds", f"eu/{deed}", "completed")
    assert effects(database) == ["deed d1 took effect 2 times", "deed eu/d3 is completed and took no effect"]
