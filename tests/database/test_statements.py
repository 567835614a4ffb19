"""Named SQL."""

import sqlite3

import pytest

from supervisor.core.errors import ConfigurationError, UsageError
from supervisor.database.statements import find, parse, split


def test_semicolons_in_strings_comments_and_triggers_do_not_cut() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;"
    assert split(f"-- one; two\nSELECT ';';\n{trigger}\nSELECT 3") == ["SELECT ';';", trigger, "SELECT 3"]


def test_block_may_have_several_statements() -> None:
    found = parse("-- name: both\nSELECT 1;\nSELECT 2;\n\n-- name: one\n-- why\nSELECT 3;\n", "x.sql")
    assert {name: len(statement.parts) for name, statement in found.items()} == {"both": 2, "one": 1}


@pytest.mark.parametrize(
    "text", ["SELECT 1;", "-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;", "-- name: A b\nSELECT 1;", "-- name: a\n"]
)
def test_file_that_is_not_blocks_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.sql"):
        parse(text, "x.sql")


def test_several_parts_run_row_by_row() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE t (what)")
    text = "-- name: a\nINSERT INTO t VALUES ('in ' || :x);\nUPDATE t SET what = what || '!' WHERE what LIKE 'in%';"
    parse(text, "x")["a"].run(db, [{"x": 1}, {"x": 2}])
    assert db.execute("SELECT what FROM t").fetchall() == [("in 1!!",), ("in 2!",)]
    db.close()


def test_statement_that_starts_with_a_with_clause_writes_too() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE t (x)")
    text = "-- name: a\nWITH s AS (SELECT value FROM json_each(:all)) INSERT INTO t SELECT value FROM s;"
    parse(text, "x")["a"].run(db, [{"all": "[1, 2]"}])
    assert db.execute("SELECT x FROM t").fetchall() == [(1,), (2,)]
    db.close()


def test_unknown_statement_is_named() -> None:
    with pytest.raises(UsageError, match="missing"):
        find({}, "missing")
