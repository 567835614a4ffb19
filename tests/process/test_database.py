"""The real database process under its link: kills, restarts, refusals."""

import asyncio
import json
import operator
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from supervisor.core.clock import SystemClock
from supervisor.core.database_settings import WorkerSettings
from supervisor.core.events import Events
from supervisor.core.job import Effect
from supervisor.core.messages.supervisor_database import DatabaseSettings, Pulse, Waiting
from supervisor.database.link import Database
from tests.database.bench import Replica, settings
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


class Linked:
    """A link with what it told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.waitings: list[Waiting] = []
        self.pulses: list[Pulse] = []
        events = Events()
        events.subscribe(lambda name, fields: self.told.append((name, fields)))
        self.database = Database(
            state_dir=folder, run_dir=folder, clock=SystemClock(), events=events, random=Random(1),
            settings=settings(), on_waiting=self.waitings.append, on_pulse=self.pulses.append,
        )  # fmt: skip  # one line a name would be a page

    @property
    def pid(self) -> int:
        pid = self.database.statistics().pid
        assert pid is not None
        return pid

    async def ask(self, method: str, body: Any = None, **params: str) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        status, answer = await self.database.ask(method, params, raw)
        assert status < 300, answer
        return json.loads(answer)

    async def enqueue(self, *entities: str) -> list[int]:
        jobs = [{"worker": "towns", "entity": entity} for entity in entities]
        return [job["id"] for job in (await self.ask("enqueue", {"jobs": jobs}))["jobs"]]

    async def kill(self) -> None:
        before = self.pid
        os.kill(before, signal.SIGKILL)
        await eventually(lambda: self.database.statistics(), lambda now: now.state == "ready" and now.pid != before)

    async def stop(self) -> None:
        await self.database.stop(SystemClock().monotonic() + 10)

    def names(self) -> list[str]:
        return [name for name, _ in self.told]


def runs(pid: int) -> bool:
    """Tell whether the process does anything; one that nobody has waited for yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
async def linked(tmp_path: Path) -> AsyncIterator[Linked]:
    linked = Linked(tmp_path)
    await linked.database.start()
    yield linked
    await linked.stop()


async def test_process_starts_answers_pulses_and_stops(linked: Linked) -> None:
    assert await linked.enqueue("eu/a") == [1]
    await eventually(
        lambda: linked.waitings[-1].counts if linked.waitings else None, lambda c: bool(c and c["towns"][1])
    )
    await eventually(lambda: linked.pulses)
    ready = dict(linked.told)["database_ready"]
    assert (ready["sqlite"], ready["fresh"]) == (sqlite3.sqlite_version, True)
    pid = linked.pid
    await linked.stop()
    assert not psutil.pid_exists(pid)
    assert linked.database.statistics().state == "stopped"
    assert not (linked.folder / "gatherer.db-wal").exists()


async def test_killed_process_is_restarted_and_leases_live_on(linked: Linked) -> None:
    await linked.enqueue("eu/a")
    replica = Replica("towns#1")
    await replica.connect(linked.folder)
    (job,) = await replica.claim()
    await linked.kill()
    await asyncio.wait_for(replica.closed.wait(), 5)
    again = Replica("towns#1")
    await again.connect(linked.folder)
    assert await again.finish(job) == "done"
    assert await again.finish(job) == "already done"
    assert linked.database.statistics().restarts == 1
    assert "database_died" in linked.names()
    again.channel.close()


async def test_exit_during_the_outage_is_settled_by_the_next_process(linked: Linked) -> None:
    await linked.enqueue("eu/a")
    replica = Replica("towns#1")
    await replica.connect(linked.folder)
    (job,) = await replica.claim()
    os.kill(linked.pid, signal.SIGKILL)
    linked.database.replica_exited("towns#1", False, "drained")
    await eventually(linked.database.statistics, lambda now: now.state == "ready" and now.unsettled_exits == 0)
    other = Replica("towns#2")
    await other.connect(linked.folder)
    assert [again.id for again in await other.claim()] == [job.id]
    other.channel.close()


async def test_question_during_the_outage_waits_for_the_next_process(linked: Linked) -> None:
    os.kill(linked.pid, signal.SIGKILL)
    await eventually(lambda: linked.database.statistics().state, lambda state: state != "ready")
    assert linked.waitings[-1].counts["towns"] == [0, 0, 0]
    assert await linked.enqueue("eu/a") == [1]


async def test_no_accepted_job_is_lost_by_kills_under_load(linked: Linked) -> None:
    accepted: set[str] = set()
    finished: list[int] = []
    over = asyncio.Event()

    async def enqueue_many() -> None:
        n = 0
        while not over.is_set():
            entities = [f"eu/t{n + i}" for i in range(20)]
            body = json.dumps({"jobs": [{"worker": "towns", "entity": entity} for entity in entities]}).encode()
            status, _ = await linked.database.ask("enqueue", {}, body)
            if status == 202:
                accepted.update(entities)
            n += 20

    async def work(name: str) -> None:
        while not over.is_set():
            replica = Replica(name)
            try:
                await replica.connect(linked.folder)
                await _work(replica, finished, over)
            except (OSError, ConnectionError):
                await asyncio.sleep(0.02)
            finally:
                replica.channel.close()

    load = [asyncio.ensure_future(enqueue_many()), *(asyncio.ensure_future(work(f"towns#{i}")) for i in range(4))]
    for _ in range(4):
        await eventually(lambda: len(finished), partial(operator.lt, len(finished) + 50))
        await linked.kill()
    over.set()
    await asyncio.gather(*load)
    await linked.stop()
    db = sqlite3.connect(linked.folder / "gatherer.db")
    known = {entity for (entity,) in db.execute("SELECT entity FROM jobs")}
    states = dict(db.execute("SELECT id, state FROM jobs"))
    events = db.execute("SELECT count(*), count(DISTINCT town) FROM town_events").fetchone()
    (integrity,) = db.execute("PRAGMA integrity_check").fetchone()
    db.close()
    assert accepted <= known
    assert {states[job] for job in finished} == {"completed"}
    assert len(finished) == len(set(finished))
    assert events[0] == events[1] >= len(finished)
    assert integrity == "ok"


async def _work(replica: Replica, finished: list[int], over: asyncio.Event) -> None:
    while not over.is_set():
        for job in await replica.claim(5):
            effects = [Effect("town_event", [{"what": "visit"}])]
            if await replica.finish(job, effects=effects) == "done":
                finished.append(job.id)


async def test_process_ends_with_its_supervisor(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from tests.process.test_database import Linked\n"
        "async def main():\n"
        "    linked = Linked(Path(sys.argv[1])); await linked.database.start(); print(linked.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    supervisor = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    pid = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.wait()
    await eventually(lambda: runs(pid), lambda alive: not alive, within_s=1.0)
    next_supervisor = Linked(tmp_path)
    await next_supervisor.database.start()
    await next_supervisor.stop()


async def test_settings_refused_at_a_restart_wait_for_better_ones(linked: Linked, tmp_path: Path) -> None:
    broken = WorkerSettings(name="songs", kind="songs", package=str(tmp_path / "nowhere"))
    linked.database.apply(DatabaseSettings(workers=[broken]))
    await eventually(lambda: "database_settings_refused" in linked.names())
    os.kill(linked.pid, signal.SIGKILL)
    await eventually(lambda: linked.database.statistics().state, lambda state: state == "refused")
    linked.database.apply(settings())
    await eventually(lambda: linked.database.statistics().state, lambda state: state == "ready")
    assert await linked.enqueue("eu/a") == [1]


async def test_terminal_signals_do_not_end_the_process(linked: Linked) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(linked.pid, number)
    assert await linked.enqueue("eu/a") == [1]
    assert linked.database.statistics().restarts == 0
