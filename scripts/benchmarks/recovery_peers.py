"""Recovery beside BullMQ and SAQ: seconds until the jobs of a worker that was SIGKILLed run again, and jobs lost.

Each system in turn, on the same machine: 4 processes with 2 jobs at a time, JOBS jobs of SECONDS each; after a tenth of
them one process that has jobs in hand is killed. Peers as shipped (`peers/` says where not), on a Redis of their own.
They are installed into var/bench/peers; node, npm and redis-server must be there (Debian: nodejs npm redis-server).
"""

import argparse
import os
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from scripts.benchmarks import deeds, manners
from scripts.benchmarks.deeds import Deeds
from scripts.benchmarks.peer_programs import has_redis, node, python, redis
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import gatherer, scratch

JOBS, SECONDS = 400, 0.25
PROCESSES, AT_ONCE = 4, 2
GIVE_UP_S = 180.0


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
    """Return the command of each peer that can run here."""
    if not has_redis():
        print("BullMQ and SAQ are left out: there is no redis-server")
        return {}
    commands = {"SAQ": python("saq_worker.py")}
    bullmq = node("bullmq_worker.js")
    if bullmq is None:
        print("BullMQ is left out: there is no node or no npm")
        return commands
    return {"BullMQ": bullmq} | commands


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
    with scratch() as folder, redis(folder) as server:
        arguments = [str(server.socket), str(folder / "diary"), str(JOBS), str(SECONDS)]
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
