"""Group commit."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.errors import UnavailableError
from supervisor.database.failures import may_pass
from supervisor.database.writer import Lane, Writer
from tests.support.clock import FakeClock


class Table:
    """A writer over one table, held back until `go` so that a test can fill a group."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.db = sqlite3.connect(folder / "t.db", isolation_level=None, check_same_thread=False)
        self.db.execute("CREATE TABLE t (x INTEGER UNIQUE)")
        self.seen: list[int] = []
        self.failures: list[Exception] = []
        self.answered: list[Any] = []
        self.go = threading.Event()
        self.writer = Writer(
            self.db, clock=clock, look=self._look, committed=self.seen.append, failed=self.failures.append
        )
        self.writer.start()

    def hold(self) -> None:
        self.writer.submit(lambda db, now: self.go.wait(5), lambda result, error: None)

    def insert(self, x: Any, lane: Lane = Lane.SHORT) -> None:
        def work(db: sqlite3.Connection, now: float) -> Any:
            db.execute("INSERT INTO t VALUES (?)", (x,))
            return x

        self.writer.submit(work, lambda result, error: self.answered.append(error or result), lane)

    async def rows(self) -> list[int]:
        return [x for (x,) in await self.writer.do(lambda db, now: db.execute("SELECT x FROM t").fetchall())]

    def _look(self, db: sqlite3.Connection) -> int:
        count: int = db.execute("SELECT count(*) FROM t").fetchone()[0]
        return count


@pytest.fixture
async def table(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Table]:
    table = Table(tmp_path, clock)
    yield table
    table.go.set()
    await table.writer.stop()
    table.db.close()


async def test_waiting_requests_share_one_transaction(table: Table) -> None:
    table.hold()
    for x in range(50):
        table.insert(x)
    rows = asyncio.ensure_future(table.rows())
    await asyncio.sleep(0)  # so that it waits too
    table.go.set()
    assert await rows == list(range(50))
    assert table.answered == list(range(50))
    assert table.writer.transactions == 1


async def test_bad_row_fails_alone(table: Table) -> None:
    table.hold()
    rows: tuple[Any, ...] = (1, 1, 2**80, [], 2)
    for x in rows:
        table.insert(x)
    table.go.set()
    assert await table.rows() == [1, 2]
    kinds = [type(answer) for answer in table.answered]
    assert kinds == [int, sqlite3.IntegrityError, OverflowError, sqlite3.ProgrammingError, int]
    assert not any(may_pass(answer) for answer in table.answered if isinstance(answer, Exception))


async def test_short_requests_go_first_and_bulk_ones_have_transactions_of_their_own(table: Table) -> None:
    table.hold()
    for x in (100, 101):
        table.insert(x, Lane.BULK)
    for x in (1, 2):
        table.insert(x)
    table.go.set()
    await table.writer.do(lambda db, now: None, Lane.BULK)
    assert table.answered == [1, 2, 100, 101]
    assert table.writer.transactions == 4


async def test_what_was_seen_after_the_commit_comes_before_the_answers(table: Table) -> None:
    seen_at_answer: list[list[int]] = []
    table.writer.submit(
        lambda db, now: db.execute("INSERT INTO t VALUES (1)"),
        lambda result, error: seen_at_answer.append([*table.seen]),
    )
    await table.rows()
    assert seen_at_answer == [[1]]


async def test_request_that_breaks_the_transaction_fails_its_group_as_passing(table: Table) -> None:
    table.hold()
    table.insert(1)
    table.writer.submit(lambda db, now: (db.execute("ROLLBACK"), 1 / 0), lambda result, error: None)
    table.go.set()
    assert await table.rows() == []
    (answer,) = table.answered
    assert isinstance(answer, UnavailableError)
    assert may_pass(answer)
    assert len(table.failures) == 1


async def test_disk_full_is_passing_and_a_constraint_is_not(table: Table) -> None:
    await table.writer.do(lambda db, now: db.execute("PRAGMA max_page_count = 2").fetchall(), Lane.OUTSIDE)
    blob = b"x" * 100_000
    with pytest.raises(sqlite3.Error) as raised:
        await table.writer.do(lambda db, now: db.execute("CREATE TABLE big AS SELECT ? AS x", (blob,)))
    assert isinstance(raised.value, sqlite3.OperationalError)
    assert may_pass(raised.value)


async def test_request_outside_may_have_transactions_of_its_own(table: Table) -> None:
    await table.writer.do(lambda db, now: db.execute("VACUUM"), Lane.OUTSIDE)
    assert table.writer.transactions == 0


async def test_stop_answers_what_is_queued_and_refuses_what_comes_later(table: Table) -> None:
    table.hold()
    table.insert(1)
    table.go.set()
    await table.writer.stop()
    await asyncio.sleep(0)
    assert table.answered == [1]
    table.insert(2)
    assert isinstance(table.answered[1], UnavailableError)
    await table.writer.stop()


async def test_all_of_a_group_have_the_same_moment(table: Table, clock: FakeClock) -> None:
    moments = await asyncio.gather(*(table.writer.do(lambda db, now: now) for _ in range(5)))
    assert set(moments) == {clock.wall()}
