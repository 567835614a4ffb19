"""BullMQ with its own limiter as a contender of `scripts/bench limiter`: node workers around a Redis."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.benchmarks.report import RESULTS

SCRIPT = Path(__file__).with_suffix(".js")
PACKAGES = ("bullmq", "ioredis")
JOBS = 6000
INSTALL_S = 120
FILL_S = 30


class Missing(Exception):
    """Something that BullMQ needs is not here; the text says what."""


def install() -> Path:
    """Return the folder that BullMQ is installed in. Missing when it cannot be had."""
    missing = [program for program in ("node", "npm", "redis-server") if shutil.which(program) is None]
    if missing:
        raise Missing(f"needs {', '.join(missing)}")
    folder = (RESULTS / "bullmq").absolute()
    if not all((folder / "node_modules" / name).exists() for name in PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S)
        if done.returncode:
            raise Missing(f"npm install failed: {done.stderr.strip()[-200:]}")
    return folder


@contextmanager
def workers(
    folder: Path, *, count: int, tasks: int, limit: int, url: str, token: str, namespace: str
) -> Iterator[list[int]]:
    """Run a Redis full of jobs and `count` workers; yield the process ids of all."""
    port = free_port()
    redis = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    node = ["node", str(SCRIPT), str(folder), str(port)]
    processes = [subprocess.Popen(redis, stdout=subprocess.DEVNULL)]
    try:
        subprocess.run([*node, "fill", str(JOBS)], check=True, timeout=FILL_S)
        work = [*node, "work", url, token, namespace, str(tasks), str(limit)]
        processes += [subprocess.Popen(work) for _ in range(count)]
        yield [process.pid for process in processes]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
