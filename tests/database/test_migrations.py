"""Numbered migrations."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError
from supervisor.database.migrations import find, migrate


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name[1:]}.sql").write_text(text)


def test_each_migration_is_applied_once_and_in_order(tmp_path: Path, db: sqlite3.Connection) -> None:
    write(tmp_path, _0002_b="INSERT INTO t VALUES (2);", _0001_a="CREATE TABLE t (x); INSERT INTO t VALUES (1);")
    assert migrate(db, "jobs", find(tmp_path), now=5.0).applied == ("jobs/0001_a", "jobs/0002_b")
    assert migrate(db, "jobs", find(tmp_path), now=6.0).applied == ()
    assert db.execute("SELECT x FROM t").fetchall() == [(1,), (2,)]


def test_newer_database_is_refused(tmp_path: Path, db: sqlite3.Connection) -> None:
    write(tmp_path, _0001_a="CREATE TABLE t (x);", _0002_b="CREATE TABLE u (x);")
    migrate(db, "jobs", find(tmp_path), now=5.0)
    (tmp_path / "0002_b.sql").unlink()
    with pytest.raises(ConfigurationError, match="jobs/0002_b, which is newer"):
        migrate(db, "jobs", find(tmp_path), now=6.0)


def test_failing_migration_leaves_nothing_behind(tmp_path: Path, db: sqlite3.Connection) -> None:
    write(tmp_path, _0001_a="CREATE TABLE t (x);", _0002_b="CREATE TABLE u (x); NONSENSE;")
    with pytest.raises(ConfigurationError, match="jobs/0002_b"):
        migrate(db, "jobs", find(tmp_path), now=5.0)
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_file_changed_after_it_was_applied_is_told_and_left_alone(tmp_path: Path, db: sqlite3.Connection) -> None:
    write(tmp_path, _0001_a="CREATE TABLE t (x);")
    migrate(db, "jobs", find(tmp_path), now=5.0)
    write(tmp_path, _0001_a="CREATE TABLE t (x, y);")
    assert migrate(db, "jobs", find(tmp_path), now=6.0).changed == ("jobs/0001_a",)


def test_file_without_a_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "towns.sql").write_text("SELECT 1;")
    with pytest.raises(ConfigurationError, match="NNNN_name"):
        find(tmp_path)
