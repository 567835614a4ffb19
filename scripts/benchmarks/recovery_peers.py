"""Recovery beside BullMQ and SAQ: seconds until the jobs of a worker that was SIGKILLed run again, and jobs lost.

Each system in turn, on the same machine: 4 processes with 2 jobs at a time, JOBS jobs of SECONDS each; after a tenth of
them one process that has jobs in hand is killed. Peers as shipped (`peers/` says where not), on a Redis of their own.
They are installed into var/bench/peers; node, npm and redis-server must be there (Debian: nodejs npm redis-server).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from scripts.benchmarks import deeds, manners
from scripts.benchmarks.deeds import Deeds
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import gatherer, scratch

JOBS, SECONDS = 400, 0.25
PROCESSES, AT_ONCE = 4, 2
GIVE_UP_S = 180.0
SOURCES = Path(__file__).parent / "peers"
INSTALLED = Path("var/bench/peers")
NPM = ("bullmq@6", "ioredis@5")
PIP = ("saq[redis]==0.26.*", "typing_extensions")


@dataclass(frozen=True, slots=True)
class Line:
    """A word of a diary. word: "began" or "ended"; at: monotonic."""

    word: str
    job: str
    pid: int
    at: float


def main(arguments: list[str]) -> int:
    argparse.ArgumentParser(prog="scripts/bench recovery-peers", description=__doc__).parse_args(arguments)
    report = Report("recovery-peers")
    ours(report)
    for name, command in installed().items():
        peer(report, name, command)
    return report.finish()


def installed() -> dict[str, list[str]]:
    """Install the peers once; return the command of each that can run here."""
    if shutil.which("redis-server") is None:
        print("BullMQ and SAQ are left out: there is no redis-server")
        return {}
    INSTALLED.mkdir(parents=True, exist_ok=True)
    commands = {"SAQ": [_saq(), str(SOURCES / "saq_worker.py")]}
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("BullMQ is left out: there is no node or no npm")
        return commands
    if not (INSTALLED / "node_modules").exists():
        subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund", *NPM], cwd=INSTALLED, check=True)
    shutil.copy(SOURCES / "bullmq_worker.js", INSTALLED)  # node looks for modules beside the file
    return {"BullMQ": [node, str(INSTALLED / "bullmq_worker.js")]} | commands


def _saq() -> str:
    python = INSTALLED / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(INSTALLED / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PIP], check=True)
    return str(python)


def ours(report: Report) -> None:
    with scratch() as folder, manners.bad_network(folder, per_hour=0) as (world, way):
        settings = tomllib.loads(manners.configuration(world, way, per_hour=0))
        settings["workers"] = {"deeds": deeds.worker(replicas=PROCESSES, concurrency=AT_ONCE)}
        with gatherer(folder, tomli_w.dumps(settings)) as system:
            work = Deeds(system)
            work.give(JOBS, do="sleep", seconds=SECONDS)

            def diary() -> list[Line]:
                ended = dict(system.query("SELECT id, finished_at FROM jobs WHERE state = 'completed'"))
                began = [Line("began", str(line.job), line.pid, line.at) for line in work.diary()]
                return began + [Line("ended", str(job), 0, 0.0) for job in ended]

            judge(report, "Gatherer", diary)
            effects, once, _ = work.effects()
            report.add("Gatherer: effects twice", effects - once)


def peer(report: Report, name: str, command: list[str]) -> None:
    with scratch() as folder, redis(folder) as socket:
        arguments = [str(socket), str(folder / "diary"), str(JOBS), str(SECONDS)]
        subprocess.run([*command, "give", *arguments], check=True)
        with (folder / "workers.log").open("wb") as log:
            workers = [
                subprocess.Popen([*command, "work", *arguments], stdout=log, stderr=log) for _ in range(PROCESSES)
            ]
        try:
            judge(report, name, lambda: read(folder / "diary"))
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()


@contextmanager
def redis(folder: Path) -> Iterator[Path]:
    """Run a Redis that nobody else uses; gives its socket. It keeps nothing: only its clients are killed here."""
    socket = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.02)
        yield socket
    finally:
        process.terminate()
        process.wait(10)


def read(diary: Path) -> list[Line]:
    if not diary.exists():
        return []
    words = [line.split() for line in diary.read_text().splitlines()]
    return [Line(word, job, int(pid), float(at)) for word, job, pid, at in words]


def judge(report: Report, name: str, diary: Callable[[], list[Line]]) -> None:
    """Kill one worker that has jobs in hand, wait until all jobs have ended or nothing more will; report."""
    pid, victims = a_busy_worker(diary)
    killed_at = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    left = JOBS
    while left and time.monotonic() < killed_at + GIVE_UP_S:
        time.sleep(0.25)
        left = JOBS - len({line.job for line in diary() if line.word == "ended"})
    again: dict[str, float] = {}
    for line in diary():
        if line.word == "began" and line.job in victims and line.at > killed_at:
            again.setdefault(line.job, line.at - killed_at)
    report.add(f"{name}: jobs in hand when it was killed", len(victims))
    report.add(f"{name}: seconds until they run again", max(again.values(), default=float("nan")))
    report.add(f"{name}: jobs lost", left)


def a_busy_worker(diary: Callable[[], list[Line]]) -> tuple[int, set[str]]:
    """Wait until a tenth of the jobs has ended and a worker has AT_ONCE in hand; return its pid and those jobs."""
    while True:
        lines = diary()
        ended = {line.job for line in lines if line.word == "ended"}
        in_hand: dict[int, set[str]] = {}
        for line in lines:
            if line.word == "began" and line.job not in ended:
                in_hand.setdefault(line.pid, set()).add(line.job)
        busy = [(pid, jobs) for pid, jobs in in_hand.items() if len(jobs) == AT_ONCE]
        if len(ended) >= JOBS // 10 and busy:
            return busy[0]
        time.sleep(0.01)
