"""How fast permits come and go: the supervisor's limiter, real sockets, client processes.

This process is the supervisor's side: `PermitServer` with its journal on disk and its timer, and for each client
the `Connection` that a replica has, on one uvloop. Clients (`permit_client.py`) use a replica's classes and
live in a few processes, because a small machine's cores are shared by both sides, and a client is Python too:
it costs half as much as the server. Both windows and the paced hour are counted for every permit; they
are only set so high that they never say no. A pair is one acquire and its release, each in a frame and a
write of its own.
"""

import argparse
import asyncio
import json
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from scripts.benchmarks.machine import take_cores
from scripts.benchmarks.permit_client import cpu_between
from scripts.benchmarks.permit_desk import open_desk
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import percentile, scratch
from supervisor.settings.config import Api, Window

WARM_UP_S = 1.5
NEVER_FULL = (Window(requests=10**7, per_s=1.0), Window(requests=10**9, per_s=3600.0))
API = Api(name="blizzard", auth="bearer", windows=NEVER_FULL)


@dataclass(frozen=True)
class Cell:
    """One measurement. per_s: pairs a second of all clients together, 0 = as many as there can be."""

    clients: int
    outstanding: int = 1
    per_s: float = 0.0
    keys: int = 6


@dataclass(frozen=True)
class Measured:
    """pairs_per_s as the clients saw them; server_us, client_us: CPU microseconds per pair."""

    pairs_per_s: float
    p50_ms: float
    p99_ms: float
    server_us: float
    client_us: float


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench permits")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--processes", type=int, default=2, help="that share the clients of a measurement")
    parser.add_argument(
        "--alone", action="store_true", help="take the cores before all else on a shared machine (root)"
    )
    options = parser.parse_args(arguments)
    if options.alone:
        take_cores()
    with scratch() as folder:
        return uvloop.run(measure_all(folder, options))


async def measure_all(folder: Path, options: argparse.Namespace) -> int:
    report = Report("permits")

    async def measure(name: str, cell: Cell) -> Measured:
        journal = folder / f"journal-{name.replace(' ', '-')}"
        measured = await Bench(cell, journal, options).run()
        report.details[name] = vars(cell) | vars(measured)
        return measured

    one = await measure("8 clients, 1 outstanding", Cell(8))
    report.add("8 clients, 1 outstanding: pairs/s", one.pairs_per_s, at_least=10_000)
    report.add("  server CPU per pair, µs", one.server_us)
    many = await measure("8 clients, 16 outstanding", Cell(8, outstanding=16))
    report.add("8 clients, 16 outstanding: pairs/s", many.pairs_per_s, at_least=40_000)
    report.add("  server CPU per pair, µs ", many.server_us)
    for clients, bar_ms in ((8, 2.0), (30, 10.0)):
        paced = await measure(f"{clients} clients, 1000 per s", Cell(clients, per_s=1000.0))
        report.add(f"{clients} clients, 1,000 pairs/s: p50 grant, ms", paced.p50_ms)
        report.add(f"{clients} clients, 1,000 pairs/s: p99 grant, ms", paced.p99_ms, at_most=bar_ms)
    single = await measure("1 key", Cell(8, outstanding=16, keys=1))
    hundred = await measure("100 keys", Cell(8, outstanding=16, keys=100))
    report.add("1 key: server CPU per pair, µs", single.server_us)
    report.add("100 keys: server CPU per pair, µs", hundred.server_us)
    report.add("100 keys to 1 key", hundred.server_us / single.server_us, at_most=1.25)
    return report.finish()


class Bench:
    """One cell: a permit server, its connections, and the processes at their other ends."""

    def __init__(self, cell: Cell, journal: Path, options: argparse.Namespace) -> None:
        self._cell = cell
        self._journal = journal
        self._processes = min(options.processes, cell.clients)
        self._start = time.monotonic() + WARM_UP_S
        self._stop = self._start + options.seconds

    async def run(self) -> Measured:
        pairs = [socket.socketpair() for _ in range(self._cell.clients)]
        names = [f"osint-{number}" for number in range(self._cell.keys)]
        server = await open_desk(API, names, self._journal, [ours for ours, _ in pairs])
        theirs = [each for _, each in pairs]
        shares = [theirs[n :: self._processes] for n in range(self._processes)]
        answers = await asyncio.gather(
            cpu_between(self._start, self._stop), *(self._client(sockets) for sockets in shares)
        )
        await server.stop()
        return self._sum(answers[0], answers[1:])

    async def _client(self, sockets: list[socket.socket]) -> dict[str, Any]:
        fds = [each.fileno() for each in sockets]
        order = {"fds": fds, "outstanding": self._cell.outstanding, "start": self._start, "stop": self._stop}
        order["per_s"] = self._cell.per_s / self._cell.clients
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "scripts.benchmarks.permit_client",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=fds,
        )
        for each in sockets:
            each.close()
        output, _ = await process.communicate(json.dumps(order).encode())
        if process.returncode:
            raise SystemExit(f"a client process ended with {process.returncode}")
        return json.loads(output)  # type: ignore[no-any-return]  # permit_client.py draws it

    def _sum(self, server_cpu_s: float, clients: list[dict[str, Any]]) -> Measured:
        pairs = sum(client["pairs"] for client in clients)
        waits_ms = [wait_s * 1e3 for client in clients for wait_s in client["waits_s"]]
        return Measured(
            pairs_per_s=pairs / (self._stop - self._start),
            p50_ms=percentile(waits_ms, 0.50),
            p99_ms=percentile(waits_ms, 0.99),
            server_us=server_cpu_s / pairs * 1e6,
            client_us=sum(client["cpu_s"] for client in clients) / pairs * 1e6,
        )
