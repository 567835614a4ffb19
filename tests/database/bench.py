"""What the database's tests share: an invented job package, and ways to hold the queue."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import msgspec

from supervisor.core.calls import Calls
from supervisor.core.database_settings import WorkerSettings
from supervisor.core.job import ClaimedJob, NewJob
from supervisor.core.messages.base import Message
from supervisor.core.messages.replica_database import Claim, Claimed, Finish, Finished, FromDatabase, Hello
from supervisor.core.messages.supervisor_database import DatabaseSettings, Noted
from supervisor.core.wire import Channel
from supervisor.database import finishing, opening, schema
from supervisor.database.claiming import Ask, Claiming
from supervisor.database.enqueueing import Enqueued, enqueue
from supervisor.database.service import Service
from supervisor.database.suspects import Ended, end_leases
from supervisor.database.workers import Workers, WorkerSpec, specs_of
from tests.support.clock import FakeClock

PACKAGE = Path(__file__).parent / "package"
T = TypeVar("T")


def settings(**changes: Any) -> DatabaseSettings:
    """Three workers of the invented package."""
    workers = [
        WorkerSettings(name=name, kind=name, package=str(PACKAGE), max_attempts=3)
        for name in ("towns", "markets", "rounds")
    ]
    return DatabaseSettings(**({"workers": workers} | changes))


class Bench:
    """One connection; `now` is the wall clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1000.0
        self.files = opening.open_files(folder, opening.lock(folder))
        self.db = self.files.connection
        self.workers = Workers()
        self.workers.apply(specs_of(settings()), "eu")
        packages = self.workers.packages()
        schema.migrate_schema(self.db, 0.0, packages=packages, market_path=self.files.market_path)
        self.claiming = Claiming()

    def close(self) -> None:
        self.files.close()

    def do(self, work: Callable[..., T], **arguments: Any) -> T:
        """Run one request as the writer does."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            result = work(self.db, self.now, **arguments)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        return result

    def spec(self, worker: str = "towns") -> WorkerSpec:
        return self.workers.find(worker)

    def enqueue(self, entity: str = "eu/paris", worker: str = "towns", **more: Any) -> Enqueued:
        row = self.workers.prepare(NewJob(worker=worker, entity=entity, **more))
        return self.do(enqueue, row=row)

    def claim(self, n: int = 1, replica: str = "towns#1", worker: str = "towns") -> list[ClaimedJob]:
        (jobs,) = self.do(self.claiming.claim, asks=[Ask(replica, n)], spec=self.spec(worker))
        return jobs

    def finish(self, job: ClaimedJob, outcome: str = "done", backoff_s: float = 7.0, **more: Any) -> str:
        follow_ups = [self.workers.prepare(follow_up) for follow_up in more.pop("jobs", [])]
        return self.do(
            finishing.finish,
            message=Finish(1, job.id, job.lease, outcome, **more),
            replica=self.holder(job),
            spec=self.spec(job.worker),
            follow_ups=follow_ups,
            prepare=lambda jobs: [self.workers.prepare(job) for job in jobs],
            backoff_s=lambda attempt: backoff_s * attempt,
        )

    def complete(self, *jobs: ClaimedJob, **more: Any) -> list[str]:
        messages = [Finish(1, job.id, job.lease, "done", **more) for job in jobs]
        return self.do(finishing.complete, endings=[finishing.Ending(each, "towns#1") for each in messages])

    def give_back(self, job: ClaimedJob) -> str:
        return self.do(finishing.give_back, job=job.id, lease=job.lease, replica=self.holder(job))

    def holder(self, job: ClaimedJob) -> str:
        """Return who holds a job now, "" = nobody."""
        found = self.rows("SELECT replica FROM jobs WHERE id = ?", job.id)
        return str(found[0]["replica"] or "") if found else ""

    def exit(self, replica: str = "towns#1", *, crashed: bool = True, status: str = "signal 11") -> Ended:
        return self.do(end_leases, replica=replica, crashed=crashed, status=status)

    def row(self, job: int) -> dict[str, Any]:
        (found,) = self.rows("SELECT * FROM jobs WHERE id = ?", job)
        return found

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.db.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


class Desk:
    """A service, what it sent to the supervisor, and clients on its socket."""

    def __init__(self, folder: Path, clock: FakeClock, supervisor: str = "first") -> None:
        self.folder = folder
        self.clock = clock
        self.sent: list[Message] = []
        self.service = Service(
            state_dir=folder, run_dir=folder, clock=clock, random=Random(1), supervisor=supervisor, pid=1,
            send=self.sent.append,
        )  # fmt: skip  # one line a name would be a page
        self._replicas: list[Replica] = []

    async def start(self, **changes: Any) -> None:
        await self.service.start(settings(**changes))

    async def stop(self) -> None:
        for replica in self._replicas:
            replica.channel.close()
        await self.service.stop()
        await asyncio.sleep(0)

    async def do(self, work: Callable[..., Any], **arguments: Any) -> Any:
        return await self.service.parts.writer.do(partial(work, **arguments))

    async def rows(self, sql: str, values: Mapping[str, Any] | tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        return await self.service.parts.reader.rows(sql, values)

    async def ask(self, method: str, body: Any = None, **params: str) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        answer = await self.service.parts.answers.answer(method, params, raw)
        return answer.status, answer.body

    async def enqueue(self, *entities: str, worker: str = "towns", **more: Any) -> list[int]:
        jobs = [{"worker": worker, "entity": entity} | more for entity in entities]
        status, answer = await self.ask("enqueue", {"jobs": jobs})
        assert status == 202, answer
        return [job["id"] for job in answer["jobs"]]

    async def replica(self, name: str = "towns#1") -> "Replica":
        replica = Replica(name)
        await replica.connect(self.folder)
        self._replicas.append(replica)
        return replica

    def noted(self, event: str) -> list[dict[str, Any]]:
        return [message.fields for message in self.sent if isinstance(message, Noted) and message.event == event]


class Replica:
    """The database's side of a replica."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._calls = Calls()
        self.closed = asyncio.Event()
        self.channel = Channel(FromDatabase, lambda reply: self._calls.resolve(reply.call, reply), self._closed)

    async def connect(self, run_dir: Path) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self.channel, str(run_dir / "database.sock"))
        self.channel.send(Hello(self.name, self.name.split("#")[0]))

    async def ask(self, message: Callable[[int], Message]) -> Any:
        return await self._calls.ask(lambda call: self.channel.send(message(call)), 10.0)

    async def claim(self, n: int = 1) -> list[ClaimedJob]:
        reply = await self.ask(lambda call: Claim(call, n))
        assert isinstance(reply, Claimed), reply
        return reply.jobs

    async def finish(self, job: ClaimedJob, outcome: str = "done", **more: Any) -> str:
        reply = await self.ask(lambda call: Finish(call, job.id, job.lease, outcome, **more))
        assert isinstance(reply, Finished), reply
        return reply.result

    def _closed(self, error: Exception | None) -> None:
        self.closed.set()
        self._calls.fail_all(ConnectionError("closed"))
