"""Backups of a real database process: of one moment under load, and nothing to mistake when it is killed half-way."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.clock import SystemClock
from supervisor.core.errors import RefusedError
from supervisor.core.job import ClaimedJob, Effect, NewJob
from supervisor.core.messages.replica_database import Rows
from supervisor.database import opening, restoring
from tests.database.bench import Replica
from tests.process.test_database import Linked
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

STALLS = 50
BACKUPS = 4
BALLAST_BYTES = 96 * 1024 * 1024


@pytest.fixture
async def linked(tmp_path: Path) -> AsyncIterator[Linked]:
    linked = Linked(tmp_path)
    await linked.database.start()
    yield linked
    await linked.stop()


def rows_of(job: ClaimedJob, rows: list[dict[str, Any]], call: int) -> Rows:
    return Rows(call, job.id, job.lease, Effect("market_stall", rows))


async def work_markets(linked: Linked, over: asyncio.Event, done: list[int]) -> None:
    """Store rows ahead in market.db and finish in gatherer.db, again and again."""
    replica = Replica("markets#1")
    await replica.connect(linked.folder)
    n = 0
    while not over.is_set():
        n += 1
        await linked.ask("enqueue", {"jobs": [{"worker": "markets", "entity": f"eu/{n}"}]})
        for job in await replica.claim():
            rows = [{"stall": stall, "price": n} for stall in range(STALLS)]
            await replica.ask(partial(rows_of, job, rows))
            await replica.finish(job, follow_ups=[NewJob(worker="towns", entity=f"eu/after{job.id}")])
            done.append(job.id)
    replica.channel.close()


def check(folder: Path, at_least: set[int]) -> None:
    """Look at a restored backup: what was done before it is in it, and rows, finishes and follow-ups agree."""
    files = opening.open_files(folder, opening.lock(folder))
    db = files.connection
    completed = {job for (job,) in db.execute("SELECT id FROM jobs WHERE kind = 'markets' AND state = 'completed'")}
    after = {int(job) for (job,) in db.execute("SELECT substr(entity, 9) FROM jobs WHERE entity LIKE 'eu/after%'")}
    whole = "SELECT count(*) FROM market.stalls WHERE lease = (SELECT lease FROM jobs WHERE id = ?)"
    stalls = {job: db.execute(whole, (job,)).fetchone()[0] for job in completed}
    files.close()
    assert at_least <= completed
    assert after == completed
    assert set(stalls.values()) <= {STALLS}


async def test_backups_under_load_are_each_of_one_moment_of_both_files(linked: Linked, tmp_path: Path) -> None:
    over, done = asyncio.Event(), list[int]()
    load = asyncio.create_task(work_markets(linked, over, done))
    made: list[tuple[Path, set[int]]] = []
    for number in range(BACKUPS):
        await eventually(lambda number=number: len(done) > 20 * (number + 1), within_s=30)  # type: ignore[misc]  # as above
        before = set(done)
        made.append((Path((await linked.ask("backup"))["folder"]), before))
        # The name of a backup is the second in which it began.
        await eventually(lambda folder=made[-1][0]: SystemClock().wall() > folder.stat().st_mtime + 1)  # type: ignore[misc]  # as above
    over.set()
    await load
    for number, (folder, before) in enumerate(made):
        state = tmp_path / f"restored{number}"
        state.mkdir()
        restoring.restore(folder, state, 0.0)
        check(state, before)


async def test_backup_that_was_killed_is_never_restored_and_goes_with_the_next(linked: Linked) -> None:
    await linked.enqueue("eu/a")
    await linked.stop()
    db = sqlite3.connect(linked.folder / "gatherer.db")
    db.execute("CREATE TABLE ballast AS SELECT zeroblob(?) AS content", (BALLAST_BYTES,))
    db.commit()
    db.close()
    again = Linked(linked.folder)
    await again.database.start()
    asked = asyncio.create_task(again.database.ask("backup", {}))
    (part,) = await eventually(lambda: list((again.folder / "backups").glob("*.part")))
    await eventually(lambda: sum(path.stat().st_size for path in part.iterdir()), lambda size: size > 1_000_000)
    os.kill(again.pid, signal.SIGKILL)
    with contextlib.suppress(Exception):
        await asked
    assert [path.name for path in part.parent.iterdir()] == [part.name]
    with pytest.raises(RefusedError, match="never finished"):
        restoring.restore(part, again.folder, 0.0)
    folder = Path((await again.ask("backup"))["folder"])
    assert [path.name for path in part.parent.iterdir()] == [folder.name]
    restoring.check(folder / "gatherer.db")
    await again.stop()
