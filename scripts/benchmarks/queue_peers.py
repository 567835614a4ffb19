"""The peers of `scripts/bench queue`: workers that wait for the word to go, and a store that is read from outside.

Each has a program in `peers/` with two roles: give (enqueue, then end) and work (touch FOLDER/ready-PID, begin when
FOLDER/go is there).
"""

import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from scripts.benchmarks.peer_programs import Redis, has_redis, node, python, redis
from scripts.benchmarks.queue_round import BATCH, SINGLE, Contender, Run, Shape

READY_WITHIN_S = 60.0
EVERY_SECOND, ALWAYS = "everysec", "always"
# Enough for longer than anybody watches, by what each does in a second.
BULLMQ_JOBS, SAQ_JOBS, HUEY_JOBS = 40_000, 8_000, 20_000


def peers() -> list[Contender]:
    """Return those that can run here."""
    found = [_huey("A", "yes", (BATCH, SINGLE)), _huey("B", "no", (BATCH,))]
    if not has_redis():
        print("BullMQ and SAQ are left out: there is no redis-server")
        return found
    saq = partial(_on_redis, "SAQ", python("noops_saq.py"), SAQ_JOBS, _saq_finished)
    found += [saq(ALWAYS), saq(EVERY_SECOND)]
    bullmq = node("noops_bullmq.js")
    if bullmq is None:
        print("BullMQ is left out: there is no node or no npm")
        return found
    make = partial(_on_redis, "BullMQ", bullmq, BULLMQ_JOBS, _bullmq_finished)
    return [make(ALWAYS), make(EVERY_SECOND), *found]


class _Workers:
    """Running worker processes of a peer, and what their store says."""

    def __init__(self, folder: Path, processes: dict[str, list[int]], finished: Callable[[], int]) -> None:
        self._folder = folder
        self._processes = processes
        self.finished = finished

    def go(self) -> None:
        (self._folder / "go").touch()

    def cpu_s(self) -> dict[str, float]:
        return {role: sum(map(_cpu_s, pids)) for role, pids in self._processes.items()}


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@contextmanager
def _working(command: Sequence[str], place: str, folder: Path, shape: Shape) -> Iterator[list[int]]:
    """Run as many workers as the shape has; give their pids when all are ready."""
    arguments = ["work", place, str(folder), "0", str(shape.at_once)]
    with (folder / "workers.log").open("wb") as log:
        workers = [subprocess.Popen([*command, *arguments], stdout=log, stderr=log) for _ in range(shape.processes)]
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while len(list(folder.glob("ready-*"))) < len(workers):
            if time.monotonic() > deadline:
                raise SystemExit(f"not ready within {READY_WITHIN_S:g} s: {(folder / 'workers.log').read_text()}")
            time.sleep(0.05)
        yield [worker.pid for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _on_redis(
    name: str, command: Sequence[str], jobs: int, finished: Callable[[Redis, int], int], appendfsync: str
) -> Contender:
    """Return a peer whose store is a Redis."""

    @contextmanager
    def ready(folder: Path, shape: Shape) -> Iterator[Run]:
        with redis(folder, EVERY_SECOND) as server:
            place = str(server.socket)
            subprocess.run([*command, "give", place, str(folder), str(jobs), "0"], check=True)
            ask(server, f"CONFIG SET appendfsync {appendfsync}")
            with _working(command, place, folder, shape) as pids:
                yield _Workers(folder, {"workers": pids, "redis": [server.pid]}, partial(finished, server, jobs))

    is_always = appendfsync == ALWAYS
    shapes = (BATCH, SINGLE) if is_always else (BATCH,)
    return Contender(f"{name}, {appendfsync}", "A" if is_always else "B", shapes, ready, jobs)


def _huey(durability: str, fsync: str, shapes: tuple[Shape, ...]) -> Contender:
    command = python("noops_huey.py")

    @contextmanager
    def ready(folder: Path, shape: Shape) -> Iterator[Run]:
        subprocess.run([*command, "give", "no", str(folder), str(HUEY_JOBS), "0"], check=True)
        file = sqlite3.connect(f"file:{folder}/huey.db?mode=ro", uri=True)
        with _working(command, fsync, folder, shape) as pids:
            yield _Workers(
                folder, {"workers": pids}, lambda: int(file.execute("SELECT count(*) FROM kv").fetchone()[0])
            )
        file.close()

    return Contender(f"Huey, fsync {fsync}", durability, shapes, ready, HUEY_JOBS)


def _bullmq_finished(server: Redis, jobs: int) -> int:
    return ask(server, "ZCARD bull:noops:completed")


def _saq_finished(server: Redis, jobs: int) -> int:
    return jobs - ask(server, "ZCARD saq:default:incomplete")


def ask(server: Redis, command: str) -> int:
    """Send one command to Redis; return its number, 0 for OK."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket))
        connection.sendall(command.encode() + b"\r\n")
        answer = connection.makefile().readline().strip()
    if answer.startswith("-"):
        raise SystemExit(f"{command}: {answer}")
    return int(answer[1:]) if answer.startswith(":") else 0
