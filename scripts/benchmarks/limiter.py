"""Limiters side by side against one simulated API: share of its limit used, 429s, waits, CPU.

For each limiter the same: 4 replica processes with 32 requesters each that always want to send, over the same way
(`delayed_path.py`: 40 ms round trip, 30 ms mean jitter, stalls of 0.7 s), with a client of its own at
the simulator, whose windows are fresh: 100 a second and 36,000 an hour, counted on arrival. What was used
and refused is the simulator's count, not ours. `contenders.py` holds the limiters.
"""

import argparse
import asyncio
import json
import math
import os
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from scripts.benchmarks import bullmq
from scripts.benchmarks.client import Direct
from scripts.benchmarks.contenders import GUIDE_PER_S, LIMIT, OTHERS, OURS
from scripts.benchmarks.machine import take_cores
from scripts.benchmarks.report import RESULTS, Report
from scripts.benchmarks.side_by_side import draw
from scripts.benchmarks.system import World, percentile, scratch, simulator

REPLICAS, TASKS = 4, 32
BULLMQ = "BullMQ"
PROMISED = tuple(name for name in OURS if "auto" not in name)
WARM_UP_S = 5.0
PATH, NAMESPACE = "/data/wow/token/index", "dynamic-eu"
# Early, in the middle, late: of what is measured, a tenth is stalled, half of it on the way to the API.
STALL_S = 0.7
STALLS = ((0.20, "up"), (0.45, "down"), (0.70, "up"))
STALLS_EVERY_S = 20.0
MODES = {"ours: bucket": "bucket", "ours: fixed, phase given": "fixed"}
SERVER = ["--latency-median", "0.015", "--latency-sigma", "0.8"]


@dataclass
class Result:
    """used: share of the limit that was accepted; refused: 429s of all requests. Both by the simulator's count."""

    name: str
    counts: str
    used: float = 0.0
    requests: int = 0
    refused: int = 0
    cpu_ms: float = 0.0
    waits_s: list[float] = field(default_factory=list, repr=False)

    @property
    def refused_per_million(self) -> float:
        return 1e6 * self.refused / max(1, self.requests)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench limiter")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured for each limiter, after a warm-up")
    parser.add_argument("--minutes", type=float, default=0.0, help="instead of seconds")
    parser.add_argument("--only", default="", help="a name, or a part of several: ours, BullMQ, …")
    parser.add_argument(
        "--alone", action="store_true", help="take the cores before all else on a shared machine (root)"
    )
    options = parser.parse_args(arguments)
    if options.alone:
        take_cores()
    options.seconds = options.minutes * 60 or options.seconds
    everybody = (*OTHERS, BULLMQ, *OURS)
    names = [options.only] if options.only in everybody else [name for name in everybody if options.only in name]
    results: list[Result] = []
    with scratch() as folder:
        for name in names:
            try:
                results.append(asyncio.run(Run(name, folder, options.seconds).measure()))
            except bullmq.Missing as error:
                print(f"{name}: skipped, {error}")
                continue
            print(line(results[-1]), flush=True)
    return finish(results, options)


class Run:
    """One limiter against its own simulator."""

    def __init__(self, name: str, folder: Path, seconds: float) -> None:
        self._name = name
        self._folder = folder
        self._seconds = seconds
        self._mode = MODES.get(name, "sliding")

    async def measure(self) -> Result:
        with ExitStack() as stack:
            options = [*SERVER, "--limit-mode", self._mode]
            world = stack.enter_context(simulator(self._folder, ["client"], options))
            token = Direct(world, "client").token
            far = await self._path(urlsplit(world.base_url).port or 0)
            base_url = f"http://127.0.0.1:{far['port']}"
            stack.callback(end, far["process"])
            start = time.monotonic() + WARM_UP_S
            if self._name == BULLMQ:
                return await self._bullmq(world, stack, base_url, token)
            central, replicas = await self._processes(base_url, token, start)
            stack.callback(end, central)
            result = await self._watch(world, start, [central.pid, *(replica.pid for replica in replicas)])
            for replica in replicas:
                output, _ = await replica.communicate()
                result.waits_s += json.loads(output)["waits_s"]
            return result

    async def _watch(self, world: World, start: float, pids: list[int]) -> Result:
        """Wait for the measured span; compare the simulator's counts and the CPU at its ends."""
        # From the middle of a second: where windows are fixed, all that they allow comes just after their tick.
        start = math.floor(start) + 0.5
        seen = []
        for at in (start, start + self._seconds):
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            tally = await asyncio.to_thread(lambda: world.statistics()["clients"]["client"])
            seen.append((time.monotonic(), tally["requests"], tally["by_status"].get("429", 0), cpu_s(pids)))
        took_s, requests, refused, used_s = (after - before for before, after in zip(*seen, strict=True))
        return Result(
            name=self._name,
            counts=self._mode,
            used=(requests - refused) / (took_s * LIMIT),
            requests=int(requests),
            refused=int(refused),
            cpu_ms=1e3 * used_s / requests,
        )

    async def _bullmq(self, world: World, stack: ExitStack, base_url: str, token: str) -> Result:
        running = bullmq.workers(
            bullmq.install(),
            count=REPLICAS,
            tasks=TASKS,
            limit=LIMIT,
            url=base_url + PATH,
            token=token,
            namespace=NAMESPACE,
        )
        pids = stack.enter_context(running)
        return await self._watch(world, time.monotonic() + WARM_UP_S, pids)

    async def _path(self, port: int) -> dict[str, Any]:
        times = int(max(1.0, self._seconds / STALLS_EVERY_S))
        stalls = [
            (WARM_UP_S + (n + share) * min(self._seconds, STALLS_EVERY_S), STALL_S, direction)
            for n in range(times)
            for share, direction in STALLS
        ]
        process = await start_process("delayed_path", {"port": port, "seed": 1, "stalls": stalls})
        assert process.stdout is not None
        ready: dict[str, Any] = json.loads(await process.stdout.readline())
        return ready | {"process": process}

    async def _processes(self, base_url: str, token: str, start: float) -> tuple[Any, list[Any]]:
        """Start the process that grants and the replicas that ask it."""
        pairs = [socket.socketpair() for _ in range(REPLICAS)]
        api = settings(self._name, base_url)
        fds = [ours.fileno() for ours, _ in pairs]
        order: dict[str, Any] = {"name": self._name, "fds": fds, "token": token, "api": api}
        order["journal"] = str(self._folder / f"journal-{OURS.index(self._name) if self._name in OURS else 'none'}")
        central = await start_process("contenders", order, fds)
        profile = {"base_url": base_url, "region": "eu", "timeout_s": 30.0, "is_sighted": "auto" in self._name}
        replicas = []
        for _, theirs in pairs:
            order = {"fd": theirs.fileno(), "api": profile, "path": PATH, "tasks": TASKS}
            order |= {"headers": {"Battlenet-Namespace": NAMESPACE}, "start": start, "stop": start + self._seconds}
            replicas.append(await start_process("contender_replica", order, [theirs.fileno()]))
        for both in pairs:
            for each in both:
                each.close()
        return central, replicas


def settings(name: str, base_url: str) -> dict[str, Any]:
    """Return the API's settings for one of ours."""
    api: dict[str, Any] = {"base_url": base_url, "token_url": f"{base_url}/oauth/token"}
    api["mode"] = MODES.get(name, "sliding")
    if "auto" in name:
        api["theta"] = "auto"
    if "phase given" in name:
        # The simulator's windows begin at whole seconds of the monotonic clock; the setting speaks of the wall's.
        api["phase_s"] = (time.time() - time.monotonic()) % 1.0
    return api


async def start_process(module: str, order: dict[str, Any], fds: list[int] | None = None) -> asyncio.subprocess.Process:
    """Start a module of this folder and give it its order."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"scripts.benchmarks.{module}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=fds or [],
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    await process.stdin.drain()
    return process


def end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


def cpu_s(pids: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def line(result: Result) -> str:
    waits = [f"{percentile(result.waits_s, share):5.2f} s" for share in (0.50, 0.99)] if result.waits_s else ["–", "–"]
    return (
        f"{result.name:26} on {result.counts:8} {100 * result.used:6.2f} % used"
        f"  {result.refused:4} of {result.requests:6} refused: {result.refused_per_million:9,.0f} per million"
        f"  waits {' '.join(waits)}  {result.cpu_ms:5.2f} ms CPU per request"
    )


def finish(results: list[Result], options: argparse.Namespace) -> int:
    report = Report(f"limiter {options.only}".strip().replace(":", "").replace(" ", "-"))
    for result in results:
        report.add(f"{result.name}: share of the limit used", result.used)
        report.add(f"{result.name}: 429s", result.refused, at_most=0 if result.name in PROMISED else None)
    report.details = {
        "seconds": options.seconds,
        "guide_per_s": GUIDE_PER_S,
        "cores": os.cpu_count(),
        "results": [
            {key: value for key, value in asdict(result).items() if key != "waits_s"}
            | {"wait_p50_s": percentile(result.waits_s, 0.5), "wait_p99_s": percentile(result.waits_s, 0.99)}
            for result in results
        ],
    }
    draw(RESULTS / f"{report.name}.png", [(each.name, each.used, each.refused_per_million) for each in results])
    return report.finish()
