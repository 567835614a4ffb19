"""A real database process on a real disk that is full: nothing acknowledged is lost, and it goes on by itself."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.database_settings import ScheduleSettings
from supervisor.core.errors import UnavailableError
from supervisor.core.job import Effect
from supervisor.core.messages.replica_database import Failed, Rows
from tests.database.bench import Replica, settings
from tests.process.test_database import Linked
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

DISK_MB = 24
MB = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "state", DISK_MB) as disk:
        yield disk


@pytest.fixture
async def linked(disk: SmallDisk) -> AsyncIterator[Linked]:
    linked = Linked(disk.path)
    await linked.database.start()
    yield linked
    await linked.stop()


class Load:
    """Enqueues and works until stopped, and remembers what it was promised."""

    def __init__(self, linked: Linked) -> None:
        self._linked = linked
        self._over = asyncio.Event()
        self.accepted: set[str] = set()
        self.finished: list[int] = []
        self.refusals: list[tuple[int, str]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._enqueue()), *(asyncio.create_task(self._work(n)) for n in range(3))]

    async def stop(self) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def _enqueue(self) -> None:
        n = 0
        while not self._over.is_set():
            entities = [f"eu/t{n + i}" for i in range(20)]
            body = json.dumps({"jobs": [{"worker": "towns", "entity": entity} for entity in entities]}).encode()
            status, answer = await self._linked.database.ask("enqueue", {}, body)
            if status == 202:
                self.accepted.update(entities)
                n += 20
            elif status != 504:  # that one may have been done
                self.refusals.append((status, json.loads(answer)["detail"]))
                await asyncio.sleep(0.05)

    async def _work(self, number: int) -> None:
        held: list[Any] = []
        while held or not self._over.is_set():
            replica = Replica(f"towns#{number}")
            try:
                await replica.connect(self._linked.folder)
                while (held or not self._over.is_set()) and not replica.closed.is_set():
                    await self._turn(replica, held)
            except (OSError, UnavailableError):  # the process is away
                await asyncio.sleep(0.05)
            finally:
                replica.channel.close()

    async def _turn(self, replica: Replica, held: list[Any]) -> None:
        """Claim, and insist on the finishes, as a real replica does."""
        try:
            if not held:
                held += await replica.claim(5)
            while held:
                result = await replica.finish(held[0], effects=[Effect("town_event", [{"what": "visit" * 200}])])
                assert result in ("done", "already done")
                self.finished.append(held.pop(0).id)
        except AssertionError as error:  # answered Failed: nothing has changed
            assert "Failed" in str(error)
            await asyncio.sleep(0.05)

    def audit(self) -> None:
        """Look behind the stopped process's back."""
        db = sqlite3.connect(self._linked.folder / "gatherer.db")
        known = {entity for (entity,) in db.execute("SELECT entity FROM jobs")}
        states = dict(db.execute("SELECT id, state FROM jobs"))
        events = db.execute("SELECT count(*), count(DISTINCT town) FROM town_events").fetchone()
        integrity = db.execute("PRAGMA integrity_check").fetchone()[0]
        db.close()
        assert integrity == "ok"
        assert self.accepted <= known
        assert {states[job] for job in self.finished} <= {"completed"}
        assert len(self.finished) == len(set(self.finished))
        assert events[0] >= len(self.finished)
        assert events[0] == events[1]
        assert "executing" not in states.values()


def trouble(linked: Linked) -> str:
    return linked.pulses[-1].trouble if linked.pulses else ""


async def test_full_disk_loses_nothing_is_said_once_and_ends_by_itself(linked: Linked, disk: SmallDisk) -> None:
    load = Load(linked)
    load.start()
    await eventually(lambda: len(load.finished), lambda n: n > 100)
    disk.fill()
    said = await eventually(lambda: trouble(linked), within_s=30)
    assert "no room is left on the disk of" in said
    assert "it goes on by itself" in said
    await eventually(lambda: len(load.refusals), lambda n: n > 20, within_s=30)
    assert {status for status, _ in load.refusals} == {503}
    assert linked.waitings[-1].counts["towns"] == [0, 0, 0]  # nobody is asked to claim
    assert linked.database.statistics().restarts == 0
    assert linked.names().count("storage_failed") == 1
    assert "database_loop_failed" not in linked.names()
    before = len(load.finished)
    disk.make_room()
    await eventually(lambda: len(load.finished), lambda n: n > before + 100, within_s=30)
    await eventually(lambda: trouble(linked), lambda text: not text)
    assert linked.names().count("storage_works_again") == 1
    await load.stop()
    await linked.stop()
    load.audit()


async def test_full_disk_and_a_kill_lose_nothing(linked: Linked, disk: SmallDisk) -> None:
    load = Load(linked)
    load.start()
    await eventually(lambda: len(load.finished), lambda n: n > 100)
    disk.fill()
    await eventually(lambda: trouble(linked), within_s=30)
    os.kill(linked.pid, signal.SIGKILL)
    await eventually(lambda: linked.database.statistics().restarts, within_s=30)
    disk.make_room()
    before = len(load.finished)
    await eventually(lambda: len(load.finished), lambda n: n > before + 100, within_s=60)
    assert linked.database.statistics().restarts == 1
    await load.stop()
    await linked.stop()
    load.audit()


async def test_below_min_free_bulk_stops_first_then_background_and_results_never(
    linked: Linked, disk: SmallDisk
) -> None:
    every_second = [ScheduleSettings(name="often", worker="rounds", args={"of": "towns"}, every_s=1.0)]
    linked.database.apply(settings(schedules=every_second, min_free_bytes=8 * MB))
    await linked.ask("enqueue", {"jobs": [{"worker": "markets", "entity": f"eu/{n}"} for n in range(1, 4)]})
    await linked.enqueue("eu/a", "eu/b", "eu/c")
    markets, towns = Replica("markets#1"), Replica("towns#1")
    await markets.connect(disk.path)
    await towns.connect(disk.path)
    (market,) = await markets.claim()
    stall = Effect("market_stall", [{"stall": 1, "price": 5}])

    async def send_rows() -> Any:
        return await markets.ask(lambda call: Rows(call, market.id, market.lease, stall))

    def rounds() -> int:
        db = sqlite3.connect(f"file:{disk.path}/gatherer.db?mode=ro", uri=True)
        fired: int = db.execute("SELECT count(*) FROM schedules").fetchone()[0]
        db.close()
        return fired

    assert not isinstance(await send_rows(), Failed)
    disk.fill(leave_bytes=6 * MB)
    await eventually(lambda: linked.pulses[-1].stopped, lambda stopped: stopped == ["markets"])
    refused = await send_rows()
    assert isinstance(refused, Failed)
    assert refused.not_soon
    assert await markets.claim() == []
    assert linked.waitings[-1].counts["markets"] == [0, 0, 0]
    fired = rounds()
    await eventually(rounds, lambda now: now > fired)  # background goes on
    disk.fill(leave_bytes=2 * MB)
    await eventually(lambda: linked.pulses[-1].background_stopped)
    (town,) = await towns.claim()
    assert await towns.finish(town) == "done"
    await linked.enqueue("eu/d")
    disk.make_room()
    await eventually(lambda: linked.pulses[-1].stopped, lambda stopped: not stopped)
    assert not isinstance(await send_rows(), Failed)
    fired = rounds()
    await eventually(rounds, lambda now: now > fired)
    assert "storage_failed" not in linked.names()
    for replica in (markets, towns):
        replica.channel.close()
