"""A file that cannot be written: said once, nothing is claimed, nothing is forgotten, and it ends by itself."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.errors import UnavailableError
from supervisor.core.messages.supervisor_database import ReplicaExited, Waiting
from supervisor.database.exits import LEASES_ENDED
from supervisor.database.leases import LEASE_S
from supervisor.database.trouble import QUIET_S, Trouble
from supervisor.database.writer import Lane
from tests.database.bench import Desk
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

MANY = [f"eu/t{n}" for n in range(800)]


async def set_pragma(desk: Desk, name: str, value: int) -> None:
    def work(db: sqlite3.Connection, now: float) -> None:
        db.execute(f"PRAGMA {name} = {value}").fetchall()

    await desk.service.parts.writer.do(work, Lane.OUTSIDE)


async def fill(desk: Desk, *, is_full: bool = True) -> None:
    """Let the file grow no more, as on a full disk; or let it again."""
    await set_pragma(desk, "max_page_count", 1 if is_full else 2**30)  # never less than there are


async def write_protect(desk: Desk, *, is_protected: bool = True) -> None:
    """Let no transaction begin, as on a disk that has become read-only; or let them again."""
    await set_pragma(desk, "query_only", int(is_protected))


async def grow(desk: Desk) -> tuple[int, Any]:
    return await desk.ask("enqueue", {"jobs": [{"worker": "towns", "entity": entity} for entity in MANY]})


async def test_full_file_is_said_once_stops_claims_and_is_over_when_there_is_room(desk: Desk, clock: FakeClock) -> None:
    await desk.enqueue("eu/paris")
    replica = await desk.replica()
    trouble = desk.service.parts.trouble
    await fill(desk)
    for _ in range(3):
        status, _ = await grow(desk)
        assert status == 503
    assert len(desk.noted("storage_failed")) == 1
    assert await replica.claim() == []
    desk.service.parts.waiting.changed()
    desk.service.parts.waiting.run_once()
    assert [m for m in desk.sent if isinstance(m, Waiting)][-1].counts["towns"] == [0, 0, 0]
    await trouble.run_once()
    assert trouble.text  # it failed a moment ago
    await fill(desk, is_full=False)
    await clock.advance(QUIET_S)
    await trouble.run_once()
    assert (trouble.text, len(desk.noted("storage_works_again"))) == ("", 1)
    assert len(await replica.claim()) == 1


async def test_expired_lease_that_cannot_be_ended_now_is_ended_later(desk: Desk, clock: FakeClock) -> None:
    (job,) = await desk.enqueue("eu/paris")
    replica = await desk.replica()
    await replica.claim()
    await clock.advance(LEASE_S + 1)
    await write_protect(desk)
    with pytest.raises(UnavailableError):
        await desk.service.parts.rescuer.run_once()
    await write_protect(desk, is_protected=False)
    await desk.service.parts.rescuer.run_once()
    assert [row["state"] for row in await desk.rows("SELECT state FROM jobs WHERE id = ?", (job,))] == ["available"]


async def test_exit_that_cannot_be_written_is_repeated(desk: Desk) -> None:
    await desk.enqueue("eu/paris")
    await (await desk.replica()).claim()
    await write_protect(desk)
    desk.service.receive(ReplicaExited("towns#1", False, "drained"))
    await eventually(lambda: desk.noted("replica_leases_not_ended"))
    assert desk.noted(LEASES_ENDED) == []
    await write_protect(desk, is_protected=False)
    await desk.service.parts.exits.run_once()
    await desk.service.parts.writer.do(lambda db, now: None)
    assert len(desk.noted(LEASES_ENDED)) == 1


async def test_damage_is_told_once_and_names_the_file(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "gatherer.db").write_bytes(b"my diary\n" * 1000)
    told: list[Exception] = []
    trouble = Trouble(tmp_path, clock, lambda event, /, **fields: None, told.append)
    for _ in range(2):
        assert trouble.failed(read(tmp_path / "gatherer.db"))
    assert [type(error).__name__ for error in told] == ["ConfigurationError"]
    assert "gatherer.db: damaged" in str(told[0])
    assert "gatherer restore" in str(told[0])


def read(path: Path) -> Exception:
    connection = sqlite3.connect(path)
    try:
        connection.execute("SELECT * FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        return error
    finally:
        connection.close()
    raise AssertionError
