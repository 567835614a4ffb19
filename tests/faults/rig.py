"""The whole way of a job in one event loop, over real sockets: only processes are missing.

    simulated API ← client, runner, job code → permits (limiter, tokens, journal)
                                             → database (service, socket, SQLite)

Time is a `HastyClock`: the sockets' timeouts are real, hours are skipped. Whoever waits for a moment (a parked key, a
pause after a connection that did not come about) is helped on by `Rig.settle`.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import msgspec

from jobs.simulator.faults import Faults
from jobs.simulator.options import Options
from jobs.simulator.simulator import Simulator
from supervisor.control.measurements import Measurements
from supervisor.core.database_settings import FreshnessSettings, WorkerSettings
from supervisor.core.events import Events
from supervisor.core.messages.base import Message
from supervisor.core.messages.replica_supervisor import Acquire, Braked, Cancel, Release
from supervisor.core.messages.supervisor_database import Census, DatabaseSettings, Noted, Pulse, Waiting
from supervisor.database.service import Service
from supervisor.limiter.server import PermitServer
from supervisor.pools.brakes import Brakes as PoolBrakes
from supervisor.settings.config import Secret, Window
from supervisor.worker.brake import Brakes
from supervisor.worker.client import close_session, open_session
from supervisor.worker.ledger import Ledger
from supervisor.worker.measures import Measures
from supervisor.worker.permits import Permits
from supervisor.worker.runner import Runner
from tests.limiter.support import api, config, key, worker
from tests.support.clock import HastyClock

PACKAGE = Path(__file__).parents[2] / "jobs"
KINDS = ("characters", "guilds", "profile", "items", "auctions", "index")
KEYS = ("one", "two")
SECRET = "s3cret-of-the-client"
WORLD = {"realms": 3, "characters_per_realm": 300, "auctions": 60, "commodities": 60, "leaderboard": 5}
PATIENCE_S = 0.05
"""Real seconds that a job gets before time is skipped on its behalf."""
SKIP_S, MOST_SKIP_S = 1.0, 16.0
TIMEOUT_S = 10.0
RESOURCES = "^/(data|profile)/"


class Rig:
    """See the module's head. `api` is what replicas are told of the API; tests change it."""

    def __init__(
        self, folder: Path, clock: HastyClock, simulator: Simulator, *, keys: tuple[str, ...], crew: int
    ) -> None:
        self.clock = clock
        self.simulator = simulator
        self.keys = keys
        self.is_tidy = False
        self.strangers = count(100)  # numbers of characters that nobody has asked for yet
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.census: Census | None = None
        self.pulse: Pulse | None = None
        self.measurements = Measurements(clock)
        events = Events()
        events.subscribe(lambda name, fields: self.told.append((name, fields)))
        blizzard = api(
            auth="client_credentials", base_url=simulator.base_url, token_url=simulator.token_url, timeout_s=TIMEOUT_S,
            windows=(Window(requests=1000, per_s=1.0),),
        )  # fmt: skip  # one line a name would be a page
        names = [key(name, client_id=name, secret=Secret(SECRET)) for name in keys]
        self.config = config(blizzard, *names, *(worker(kind) for kind in KINDS))
        self.permits = PermitServer(
            config=self.config, clock=clock, events=events, random=Random(1), journal_path=folder / "journal"
        )
        self.database = Service(
            state_dir=folder, run_dir=folder, clock=clock, random=Random(1), supervisor="rig", pid=1, send=self._heard,
        )  # fmt: skip  # as above
        self.api: dict[str, Any] = {
            "name": "blizzard", "region": "eu", "locale": "en_GB", "base_url": simulator.base_url,
            "timeout_s": TIMEOUT_S,
        }  # fmt: skip  # as above
        self.crews = {kind: [Replica(self, kind, n, folder, events) for n in range(1, crew + 1)] for kind in KINDS}
        self.replicas = {kind: replicas[0] for kind, replicas in self.crews.items()}
        self.brakes = {kind: PoolBrakes(kind, events) for kind in KINDS}

    async def start(self, freshness: list[FreshnessSettings]) -> None:
        await self.permits.start()
        workers = [WorkerSettings(name=kind, kind=kind, package=str(PACKAGE)) for kind in KINDS]
        await self.database.start(DatabaseSettings(workers=workers, freshness=freshness))

    async def stop(self) -> None:
        await self.permits.stop()
        await self.database.stop()
        await asyncio.sleep(0)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Put these in force at the API, and no others. A rule without a match means all requests but tokens."""
        faults: Faults = self.simulator.gateway.faults
        faults.replace([{"match": RESOURCES} | rule for rule in rules])

    async def run(self, worker: str, entity: str, **more: Any) -> dict[str, Any]:
        """Enqueue a job, let it run once, return its row. One that waits for its next try goes now."""
        return await self.again(await self.enqueue(worker, entity, **more))

    async def enqueue(self, worker: str, entity: str, **more: Any) -> int:
        status, answer = await self.ask("enqueue", {"jobs": [{"worker": worker, "entity": entity} | more]})
        assert status == 202, answer
        return int(answer["jobs"][0]["id"])

    async def again(self, job: int) -> dict[str, Any]:
        """Let a job run once more, whatever became of it; or the one that waits in its place."""
        status, answer = await self.ask("jobs.retry", id=str(job))
        assert status == 200, answer
        row = await self.job(job)
        same = "SELECT id FROM jobs WHERE kind = ? AND entity = ? AND state = 'available'"
        (waiting,) = await self.rows(same, row["kind"], row["entity"])
        return await self._run(waiting["id"], row["kind"])

    async def _run(self, job: int, worker: str) -> dict[str, Any]:
        # Another job may have come due meanwhile, and go first.
        while (row := await self.job(job))["state"] == "available":
            await self.turn(worker)
        return row

    async def turn(self, worker: str) -> bool:
        """Let the next job of `worker` run, if there is one, in the replica whose turn it is."""
        crew = self.crews[worker]
        crew.append(crew.pop(0))
        has_run = bool(await self.settle(crew[-1].turn()))
        self._tallied(crew[-1])
        return has_run

    async def work_off(self, *workers: str) -> None:
        """Let all waiting jobs of `workers` run, follow-ups of one another too."""
        waiting = "SELECT kind FROM jobs WHERE state = 'available'"
        while kinds := {row["kind"] for row in await self.rows(waiting)} & set(workers):
            for kind in kinds:
                await self.turn(kind)

    async def pause(self, seconds: float) -> None:
        """Let time pass, and all loops do what is due."""
        self.skip(seconds)
        await asyncio.sleep(PATIENCE_S)

    async def settle(self, doing: Any) -> Any:
        """Await `doing`, and skip time while it waits for a moment."""
        task = asyncio.ensure_future(doing)
        skip_s = SKIP_S
        while not (await asyncio.wait({task}, timeout=PATIENCE_S))[0]:
            self.skip(skip_s)
            skip_s = min(MOST_SKIP_S, 2 * skip_s)
        return task.result()

    def skip(self, seconds: float) -> None:
        """Let time pass for everybody; leases are renewed as replicas do."""
        self.clock.skip(seconds)
        for replica in self.everybody():
            replica.ledger.renew()

    def renew(self, kind: str) -> None:
        """Forget what is braked, as a pool does for replicas with new code."""
        self.brakes[kind].forget()
        for replica in self.crews[kind]:
            replica.brakes.told(Braked([]))

    def everybody(self) -> list["Replica"]:
        return [replica for crew in self.crews.values() for replica in crew]

    async def ask(self, method: str, body: Any = None, **params: str) -> tuple[int, Any]:
        raw = b"" if body is None else msgspec.json.encode(body)
        answer = await self.database.parts.answers.answer(method, params, raw)
        return answer.status, answer.body

    async def job(self, number: int) -> dict[str, Any]:
        (row,) = await self.rows("SELECT * FROM jobs WHERE id = ?", number)
        return row

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.database.parts.reader.rows(sql, values)]

    def unlock(self) -> None:
        """Hold nothing against any key any more."""
        for name in self.keys:
            self.permits.unlock(name)

    def heal(self) -> None:
        """End every fault, let two minutes pass, and hold nothing against anybody."""
        self.faults()
        for kind in KINDS:
            self.renew(kind)
        self.api |= {"base_url": self.simulator.base_url, "timeout_s": TIMEOUT_S}
        self.skip(120.0)
        self.unlock()
        self.told.clear()

    def named(self, event: str) -> list[dict[str, Any]]:
        """Return the fields of each such event."""
        return [fields for name, fields in self.told if name == event]

    def requests(self) -> int:
        """Return how many requests the API has seen."""
        clients = self.simulator.gateway.clients
        return sum(client.tally.requests for client in [*clients.known.values(), clients.unknown])

    def url(self, path: str, **parameters: str) -> str:
        return f"{self.simulator.base_url}{path}?{urlencode(parameters)}"

    def _heard(self, message: Message) -> None:
        if isinstance(message, Waiting):
            self.permits.set_waiting(message.counts)
        elif isinstance(message, Noted):
            self.told.append((message.event, message.fields))
        elif isinstance(message, Census):
            self.census = message
        elif isinstance(message, Pulse):
            self.pulse = message

    def _tallied(self, replica: "Replica") -> None:
        """Do with what a replica has measured what its pool does."""
        tally, now = replica.measures.take(), self.clock.monotonic()
        if tally is None:
            return
        self.measurements.add(replica.kind, tally)
        brakes = self.brakes[replica.kind]
        has_changed, probes = brakes.add(tally, now), brakes.take_probes(replica.name, now)
        if has_changed or probes:
            for each in self.crews[replica.kind]:
                each.brakes.told(Braked(brakes.engaged(), probes if each is replica else []))


class Replica:
    """One replica's parts, in this process; its slots are `Rig.turn`."""

    def __init__(self, rig: Rig, kind: str, number: int, folder: Path, events: Events) -> None:
        name = f"{kind}#{number}"
        self._rig = rig
        self.kind = kind
        self.name = name
        self.measures = Measures()
        self.brakes = Brakes()
        self.session = open_session()
        self.released: list[Release] = []
        self.permits = Permits(self._send, rig.clock)
        self.number = rig.permits.connect(name, kind, self.permits.receive)
        self.ledger = Ledger(
            socket=str(folder / "database.sock"), replica=name, worker=kind, clock=rig.clock, random=Random(1)
        )
        self.runner = Runner(
            run=importlib.import_module(f"jobs.{kind}").run, brakes=self.brakes, session=self.session,
            permits=self.permits, ledger=self.ledger, measures=self.measures, clock=rig.clock, events=events,
            run_dir=folder,
        )  # fmt: skip  # one line a name would be a page

    async def turn(self) -> bool:
        """Claim one job and run it to its finish; False when there was none."""
        clock = self._rig.clock
        self.runner.api = dict(self._rig.api)
        permit = await self.permits.acquire(start=True, priority=1, deadline=clock.monotonic() + 3000.0)
        claimed = await self.ledger.claim(1)
        if not claimed.jobs:
            permit.not_sent()
            return False
        await self.runner.run_job(claimed.jobs[0], permit, clock.monotonic())
        return True

    def _send(self, message: Any) -> None:
        assert isinstance(message, Acquire | Cancel | Release)
        if isinstance(message, Release):
            self.released.append(message)
        self._rig.permits.receive(self.number, message, self._rig.clock.monotonic())


@asynccontextmanager
async def rig(
    folder: Path,
    *,
    keys: tuple[str, ...] = KEYS,
    crew: int = 1,
    freshness: Sequence[FreshnessSettings] = (),
    faults: Sequence[dict[str, Any]] = (),
    **options: Any,
) -> AsyncIterator[Rig]:
    """Start everything; every loop of the database runs. crew: replicas of each worker. faults: from the first moment.

    options: of the simulator.
    """
    clock = HastyClock()
    clients = tuple((name, SECRET) for name in keys)
    settings = WORLD | {"latency_median": 0.0, "valid": 1.0, "per_second": 0, "per_hour": 0} | options
    simulator = Simulator(
        Options(clients=clients, world_start=clock.wall(), fresh_tokens=True, **settings), monotonic=clock.monotonic
    )
    await simulator.start()
    whole = Rig(folder, clock, simulator, keys=keys, crew=crew)
    whole.faults(*faults)
    await whole.start(list(freshness))
    loops = [asyncio.ensure_future(whole.database.run())]
    loops += [asyncio.ensure_future(replica.ledger.run()) for replica in whole.everybody()]
    try:
        yield whole
    finally:
        for loop in loops:
            loop.cancel()
        for loop in loops:
            with suppress(asyncio.CancelledError):
                await loop
        for replica in whole.everybody():
            await close_session(replica.session)
        await whole.stop()
        await simulator.stop()
