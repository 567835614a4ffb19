"""The system under test: simulator and supervisor as real processes, and what they cost.

with simulator(folder, CLIENTS, [...]) as world, gatherer(folder, config_text) as system:
    system.daemon.post("/jobs", body=...)
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from scripts.benchmarks.configuration import SECRET
from supervisor.cli.calling import Daemon
from supervisor.core.errors import GathererError

START_S = 30.0
STOP_S = 60.0
CHECKOUT = (sys.executable, "-m", "supervisor.cli")


@dataclass(frozen=True)
class World:
    """A running simulator."""

    base_url: str
    token_url: str
    pid: int

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.base_url}/_simulator/{path}", timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.base_url}/_simulator/{path}", data=data, timeout=30) as answer:
            return json.load(answer)

    def arrivals(self, after: float = 0.0) -> dict[str, list[float]]:
        """Return the moments (monotonic) of each client's requests after `after`; needs --keep-arrivals."""
        return self.get(f"arrivals?after={after!r}")  # type: ignore[no-any-return]

    def statistics(self) -> dict[str, Any]:
        return self.get("statistics")  # type: ignore[no-any-return]

    def entities(self, kind: str, limit: int) -> list[str]:
        """Return up to `limit` entities of the world ("characters" or "guilds")."""
        found: list[str] = []
        after: Any = ""
        while len(found) < limit and after is not None:
            page = self.get(f"{kind}?region=eu&limit={min(10_000, limit - len(found))}&after={after}")
            found += page["entities"]
            after = page["next"]
        return found


@dataclass
class System:
    """A running supervisor."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    daemon: Daemon
    environment: dict[str, str] | None = None  # None: ours

    def processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def pids(self) -> dict[str, int]:
        """Return the pid of each process by its name; one that ends while we look is left out."""
        found = {}
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                found[name_of(process)] = process.pid
        return found

    def replicas(self, worker: str = "") -> dict[str, int]:
        """Return the pid of each replica by its name (characters#1), of one worker or of all."""
        return {
            name: pid for name, pid in self.pids().items() if "#" in name and worker in ("", name.partition("#")[0])
        }

    def cpu_s(self) -> dict[str, float]:
        """Return CPU seconds so far by process name and pid (characters#1, database, ...)."""
        used = {}
        for process in self.processes():
            try:
                times = process.cpu_times()
                used[f"{name_of(process)}/{process.pid}"] = times.user + times.system
            except psutil.NoSuchProcess:
                continue
        return used

    def uss_mb(self) -> dict[str, float]:
        """Return private memory in MB by process name and pid."""
        private = {}
        for process in self.processes():
            try:
                private[f"{name_of(process)}/{process.pid}"] = process.memory_full_info().uss / 1e6
            except psutil.NoSuchProcess:
                continue
        return private

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Read the database behind its back."""
        connection = sqlite3.connect(f"file:{self.folder}/state/gatherer.db?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def enqueue(self, worker: str, entities: list[str], priority: str = "normal", **fields: Any) -> None:
        for start in range(0, len(entities), 1000):
            jobs = [
                {"worker": worker, "entity": e, "priority": priority} | fields for e in entities[start : start + 1000]
            ]
            self.daemon.post("/jobs", body={"jobs": jobs})

    def start(self) -> None:
        """Start the supervisor again, after it was stopped or killed."""
        self.process = spawn(self.folder, environment=self.environment)

    def port(self) -> int:
        """Return the port of its HTTP server, as its log has it."""
        lines = (self.folder / "supervisor.log").read_text().splitlines()
        return int(next(json.loads(line)["port"] for line in reversed(lines) if '"control_started"' in line))

    def stop(self) -> None:
        """Drain; SystemExit when it does not end well."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_S)
        if code != 0:
            raise SystemExit(f"the supervisor ended with {code}; see {self.folder}/supervisor.log")


def name_of(process: psutil.Process) -> str:
    """Return "supervisor", "database", or the name that a process gave itself (zygote, characters#1)."""
    if not process.name().startswith("python"):
        return str(process.name())
    return "database" if "database" in process.cmdline() else "supervisor"


def is_alive(process: psutil.Process) -> bool:
    """Tell whether the process does anything; a zombie does not."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the working disk (not a tmpfs: fsync must cost what it costs)."""
    base = Path("var/bench")
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix="run-") as folder:
        yield Path(folder).absolute()


@contextmanager
def simulator(folder: Path, clients: list[str], options: list[str], *, secret: str = SECRET) -> Iterator[World]:
    words = [word for client in clients for word in ("--client", f"{client}:{secret}")]
    command = [sys.executable, "-m", "jobs.simulator", "--parent", str(os.getpid()), *words, *options]
    with (folder / "simulator.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"the simulator did not start; see {folder}/simulator.log")
            yield World(**json.loads(line))
        finally:
            process.terminate()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def gatherer(
    folder: Path,
    config: str,
    *,
    ready: bool = True,
    program: Sequence[str] = CHECKOUT,
    environment: dict[str, str] | None = None,
) -> Iterator[System]:
    """Run the supervisor on `config`; drained at the end of the block unless it has ended."""
    path = folder / "config.toml"
    path.touch(mode=0o600)
    path.write_text(config)
    process = spawn(folder, program, environment)
    system = System(process, folder, Daemon(folder / "run" / "control.sock"), environment)
    try:
        if ready:
            wait_until_ready(system)
        yield system
    finally:
        if system.process.poll() is None:
            system.process.send_signal(signal.SIGTERM)
            system.process.wait(STOP_S)


def spawn(
    folder: Path, program: Sequence[str] = CHECKOUT, environment: dict[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start the supervisor of `folder`; it need not be ready."""
    command = [*program, "run", "--config", str(folder / "config.toml")]
    with (folder / "supervisor.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


def wait_until_ready(system: System) -> None:
    """Return when all replicas are ready."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            workers = system.daemon.get("/workers")["workers"].values()
            if all(w["effective"]["replicas"] == w["desired"]["replicas"] for w in workers):
                return
        except GathererError:
            pass
        if system.process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the supervisor is not ready; see {system.folder}/supervisor.log")


def percentile(values: list[float], share: float) -> float:
    """Return the nearest-rank percentile; nan for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
