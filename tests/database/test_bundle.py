"""Requests that are served together."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.errors import UnavailableError
from supervisor.database import bundle
from supervisor.database.bundle import Bundle
from supervisor.database.writer import Writer
from tests.support.clock import FakeClock
from tests.support.waiting import eventually


class Table:
    """A bundle that inserts; `served` has the items of each run."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.db = sqlite3.connect(folder / "t.db", isolation_level=None, check_same_thread=False)
        self.db.execute("CREATE TABLE t (x INTEGER UNIQUE)")
        self.served: list[Sequence[int]] = []
        self.answered: list[Any] = []
        self.writer = Writer(
            self.db, clock=clock, look=lambda db: None, committed=lambda seen: None, failed=lambda error: None
        )
        self.bundle = Bundle(self.writer, self._insert)

    def submit(self, *items: int) -> None:
        for item in items:
            self.bundle.submit(item, lambda result, error: self.answered.append(error or result))

    def rows(self) -> list[int]:
        return [x for (x,) in self.db.execute("SELECT x FROM t ORDER BY x")]

    def _insert(self, db: sqlite3.Connection, now: float, items: Sequence[int]) -> list[int]:
        self.served.append(list(items))
        db.executemany("INSERT INTO t VALUES (?)", [(x,) for x in items])
        return [10 * x for x in items]


@pytest.fixture
async def table(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Table]:
    table = Table(tmp_path, clock)
    yield table
    await table.writer.stop()
    table.db.close()


async def test_what_waits_is_served_at_once_and_answered_in_order(table: Table) -> None:
    table.submit(3, 1, 2)
    table.writer.start()
    assert await eventually(lambda: table.answered, lambda answered: len(answered) == 3) == [30, 10, 20]
    assert table.served == [[3, 1, 2]]


async def test_bad_item_fails_alone(table: Table) -> None:
    table.submit(1, 1, 2)
    table.writer.start()
    first, second, third = await eventually(lambda: table.answered, lambda answered: len(answered) == 3)
    assert (first, third) == (10, 20)
    assert isinstance(second, sqlite3.IntegrityError)
    assert table.rows() == [1, 2]


async def test_more_than_one_run_may_take_is_taken_by_the_next(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MOST_AT_ONCE", 2)
    table.submit(1, 2, 3)
    table.writer.start()
    await eventually(lambda: table.answered, lambda answered: len(answered) == 3)
    assert table.served == [[1, 2], [3]]


async def test_writer_that_stops_refuses_everybody(table: Table) -> None:
    await table.writer.stop()
    table.submit(1)
    table.submit(2)
    assert [type(answer) for answer in table.answered] == [UnavailableError, UnavailableError]
