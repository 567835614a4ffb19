"""The supervisor's side of permits as benchmarks run it: the real limiter with its journal, at real sockets."""

import socket
from pathlib import Path
from random import Random

from supervisor.core.clock import SystemClock
from supervisor.core.events import Events
from supervisor.limiter.server import PermitServer
from supervisor.pools.connection import Connection
from supervisor.settings.config import Api, Config, Key, Log, Secret, Server, Worker

WORKER = "characters"


async def open_desk(api: Api, clients: list[str], journal: Path, sockets: list[socket.socket]) -> PermitServer:
    """Return a permit server that grants at `sockets`, each the supervisor's end of one replica's.

    clients: the client id of each key.
    """
    clock = SystemClock()
    server = PermitServer(
        config=configuration(api, clients), clock=clock, events=Events(), random=Random(1), journal_path=journal
    )
    await server.start()
    for number, ours in enumerate(sockets):
        connection = Connection(
            replica=f"{WORKER}#{number}",
            worker=WORKER,
            clock=clock,
            permits=server,
            tally=lambda measured: None,
            ready=lambda: None,
            resized=lambda: None,
            broke=lambda why: None,
        )
        await connection.open(ours)
    return server


def configuration(api: Api, clients: list[str]) -> Config:
    """Return one worker and the keys that serve it."""
    return Config(
        path=None,
        sha256="",
        state_dir=Path("state"),
        run_dir=Path("run"),
        server=Server(),
        apis={api.name: api},
        keys=tuple(
            Key(name=name, api=api.name, tags=("osint",), client_id=name, secret=Secret("secret")) for name in clients
        ),
        workers={WORKER: Worker(name=WORKER, job="jobs.characters", tag="osint")},
        schedules={},
        freshness={},
        retention_s={},
        min_free_bytes=0,
        log=Log(),
    )
