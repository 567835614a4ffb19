"""The power fails at any moment: what had been answered is there, nothing is there by halves, nothing is damaged."""

import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from supervisor.core.job import ClaimedJob, Effect, NewJob
from supervisor.core.messages.replica_database import Rows, Stored
from supervisor.database import opening, writer
from supervisor.database.writer import Lane
from tests.database.bench import Bench, Desk, Replica
from tests.support.clock import FakeClock
from tests.support.power.disks import Disk, cuts
from tests.support.power.tape import Tape
from tests.support.power.vfs import recorded

pytestmark = pytest.mark.slow

CUTS = int(os.environ.get("GATHERER_CUTS", "500"))
ROUNDS = 12
STALLS = 40


@dataclass(frozen=True)
class Enqueued:
    """POST /jobs was answered 202."""

    entities: tuple[str, ...]


@dataclass(frozen=True)
class Claimed:
    """A replica was given the job."""

    job: int
    lease: int


@dataclass(frozen=True)
class Finished:
    """A replica was told that its finish is stored."""

    job: int


class Loss(AssertionError):
    """A disk after a cut lacks something that was promised, or has half of something."""


class Workload:
    """Everything that is promised to anybody, on a real service, a few rounds of it."""

    def __init__(self, desk: Desk, tape: Tape) -> None:
        self._desk = desk
        self._tape = tape

    async def run(self) -> None:
        towns, markets = await self._desk.replica("towns#1"), await self._desk.replica("markets#1")
        for round_ in range(1, ROUNDS + 1):
            await self._enqueue("towns", [f"eu/t{round_}x{n}" for n in range(12)])
            await self._enqueue("markets", [f"eu/{round_}"])
            for job in await self._claim(towns, 8):
                follow_up = NewJob(worker="towns", entity=f"eu/after{job.id}")
                await self._finish(towns, job, [Effect("town_event", [{"what": f"job {job.id}"}])], [follow_up])
            for job in await self._claim(markets, 1):
                await self._send_stalls(markets, job)
                await self._finish(markets, job, [], [])

    async def _enqueue(self, worker: str, entities: list[str]) -> None:
        await self._desk.enqueue(*entities, worker=worker)
        self._tape.promise(Enqueued(tuple(entities)))

    async def _claim(self, replica: Replica, n: int) -> list[ClaimedJob]:
        jobs = await replica.claim(n)
        for job in jobs:
            self._tape.promise(Claimed(job.id, job.lease))
        return jobs

    async def _send_stalls(self, replica: Replica, job: ClaimedJob) -> None:
        for chunk in range(4):
            rows = [{"stall": chunk * 10 + n, "price": job.id} for n in range(STALLS // 4)]
            stored = await replica.ask(
                lambda call, rows=rows: Rows(call, job.id, job.lease, Effect("market_stall", rows))  # type: ignore[misc]  # mypy cannot type a default in a lambda
            )
            assert isinstance(stored, Stored)

    async def _finish(self, replica: Replica, job: ClaimedJob, effects: list[Effect], follow_ups: list[NewJob]) -> None:
        assert await replica.finish(job, effects=effects, follow_ups=follow_ups) == "done"
        self._tape.promise(Finished(job.id))


@pytest.fixture
async def tape(
    tmp_path: Path, template: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Tape, Disk]]:
    """What the workload did, and the disk before it. Checkpoints are frequent, so that many cuts meet one."""
    monkeypatch.setattr(writer, "CHECKPOINT_AFTER_CHANGES", 150)
    state = tmp_path / "state"
    state.mkdir()
    for name in ("gatherer.db", "market.db"):
        (state / name).write_bytes((template / name).read_bytes())
    disk = Disk()
    disk.start_with(state)
    with recorded(state) as tape:
        desk = Desk(state, clock)
        await desk.start()
        for pragma in getattr(request, "param", ()):
            await desk.service.parts.writer.do(lambda db, now, sql=pragma: db.execute(sql).fetchall(), Lane.OUTSIDE)  # type: ignore[misc]  # as above
        await Workload(desk, tape).run()
        await desk.stop()
    yield tape, disk


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """Where the disks of the cuts are made: in memory where there is such a place, for nothing of them must last."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


def check(folder: Path, promises: list[Any]) -> None:
    """Open what a cut has left as a start does. Loss: something is missing, or there by halves."""
    files = opening.open_files(folder, opening.lock(folder))
    try:
        _check_whole(files.connection)
        _check_promises(files.connection, promises)
        _check_atomic(files.connection)
    finally:
        files.close()


def _check_whole(db: sqlite3.Connection) -> None:
    for schema in ("main", "market"):
        (found,) = db.execute(f"PRAGMA {schema}.integrity_check(1)").fetchone()
        if found != "ok":
            raise Loss(f"{schema}: {found}")
    counted = Counter(row[0] for row in db.execute("SELECT state FROM jobs"))
    kept = {state: n for state, n in db.execute("SELECT state, sum(n) FROM job_counts GROUP BY state") if n}
    if counted != kept:
        raise Loss(f"job_counts say {kept}, there are {counted}")


def _check_promises(db: sqlite3.Connection, promises: list[Any]) -> None:
    jobs = {job: (state, lease) for job, state, lease in db.execute("SELECT id, state, lease FROM jobs")}
    entities = {entity for (entity,) in db.execute("SELECT entity FROM jobs")}
    for fact in promises:
        match fact:
            case Enqueued(wanted) if not set(wanted) <= entities:
                raise Loss(f"accepted, but not there: {set(wanted) - entities}")
            case Claimed(job, lease) if jobs.get(job, ("", 0))[1] != lease:
                raise Loss(f"job {job} was claimed under lease {lease}, but is {jobs.get(job)}")
            case Finished(job) if jobs.get(job, ("", 0))[0] != "completed":
                raise Loss(f"job {job} was finished, but is {jobs.get(job)}")


def _check_atomic(db: sqlite3.Connection) -> None:
    """A town's finish is state, event and follow-up; a market's is not there before its stalls."""
    completed = {job for (job,) in db.execute("SELECT id FROM jobs WHERE kind = 'towns' AND state = 'completed'")}
    events = {int(what.split()[1].rstrip(";")) for (what,) in db.execute("SELECT what FROM town_events")}
    after = db.execute("SELECT substr(entity, 9) FROM jobs WHERE entity LIKE 'eu/after%'")
    follow_ups = {int(job) for (job,) in after}
    if not completed == events == follow_ups:
        raise Loss(f"finished by halves: {completed ^ events}, {completed ^ follow_ups}")
    batches = Counter(
        entity.split("x")[0] for (entity,) in db.execute("SELECT entity FROM jobs WHERE entity LIKE '%x%'")
    )
    if set(batches.values()) - {12}:
        raise Loss(f"enqueued by halves: {batches}")
    query = """SELECT id, (SELECT count(*) FROM market.stalls WHERE number = substr(entity, 4) AND lease = jobs.lease)
        FROM jobs WHERE kind = 'markets' AND state = 'completed'"""
    for job, stalls in db.execute(query):
        if stalls != STALLS:
            raise Loss(f"job {job} is finished, but {stalls} of its {STALLS} rows are in market.db")


def losses(tape: Tape, disk: Disk, folder: Path, moments: int, random: Random) -> list[str]:
    """Return what was lost at each of `moments` cuts that lost something."""
    found = []
    for moment, after in cuts(tape, disk, moments, random):
        cut = folder / f"cut{moment}-{random.getrandbits(32):08x}"
        cut.mkdir()
        for name, content in after.after_cut(random).items():
            (cut / name).write_bytes(content)
        try:
            check(cut, after.promises)
        except Exception as error:
            found.append(f"event {moment} of {len(tape.events)}: {type(error).__name__}: {error}")
            continue
        for path in cut.iterdir():
            path.unlink()
        cut.rmdir()
    return found


async def test_no_cut_loses_what_was_answered_or_leaves_half_of_it(tape: tuple[Tape, Disk], quick: Path) -> None:
    record, disk = tape
    assert losses(record, disk, quick, CUTS, Random(1)) == []
    assert len(disk.promises) > 100


async def test_first_start_may_be_cut_anywhere_and_the_next_one_goes_on(
    tmp_path: Path, quick: Path, clock: FakeClock
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with recorded(state) as tape:
        desk = Desk(state, clock)
        await desk.start()
        await desk.enqueue("eu/paris")
        tape.promise(Enqueued(("eu/paris",)))
        await desk.stop()
    random = Random(1)
    for moment, after in cuts(tape, Disk(), CUTS // 5, random):
        cut = quick / f"cut{moment}-{random.getrandbits(32):08x}"
        cut.mkdir()
        for name, content in after.after_cut(random).items():
            (cut / name).write_bytes(content)
        bench = Bench(cut)  # opens and migrates
        _check_whole(bench.db)
        _check_promises(bench.db, after.promises)
        bench.close()


MUTANTS = {
    "nothing is synced": ["PRAGMA synchronous = OFF", "PRAGMA market.synchronous = OFF"],
    "commits are not synced": ["PRAGMA synchronous = NORMAL"],
    "bulk rows are not synced": ["PRAGMA market.synchronous = NORMAL"],
}


@pytest.mark.parametrize("tape", MUTANTS.values(), ids=MUTANTS, indirect=True)
async def test_check_finds_the_loss_when(tape: tuple[Tape, Disk], quick: Path) -> None:
    record, disk = tape
    assert losses(record, disk, quick, 60, Random(1))
