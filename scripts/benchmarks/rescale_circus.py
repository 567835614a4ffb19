"""circus, a process manager with a file, beside us: the same edits, the same number of processes.

It does not watch its file: each edit is followed by `circusctl reloadconfig`, which counts. Its processes take
their concurrency as an argument, as programs under a process manager do. They live in a job of 0.2 s at a time and
end after it when told to.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil

from scripts.benchmarks.report import Report
from scripts.benchmarks.system import scratch

WITHIN_S = 60.0
WORKERS = {"characters": 5, "guilds": 5, "items": 2}
CONCURRENCY = 2
JOB = """
import signal, sys, time
over = []
signal.signal(signal.SIGTERM, lambda *_: over.append(True))
while not over:
    time.sleep(0.2)
"""

Conforms = Callable[[dict[str, dict[int, int]]], bool]


def measure(report: Report) -> None:
    """Add circus's figures; nothing when it is not installed."""
    if find_spec("circus") is None:
        print('circus is not installed: .venv/bin/pip install --editable ".[bench]"')
        return
    with scratch() as folder, circusd(folder) as circus:
        circus.wait(lambda found: _is(found, "characters", CONCURRENCY, 5))
        for name, edit, conforms, must_go in (
            ("concurrency 2 → 3", {"concurrency": 3}, lambda f: _is(f, "characters", 3, 5), 0),
            ("replicas 5 → 8", {"replicas": 8}, lambda f: _is(f, "characters", 3, 8), 0),
            ("replicas 8 → 2", {"replicas": 2}, lambda f: _is(f, "characters", 3, 2), 6),
            ("log level", {"level": "WARNING"}, lambda f: _is(f, "characters", 3, 2), 0),
        ):
            seconds, ended = circus.edit(edit, conforms)
            report.add(f"circus, {name}: s", seconds)
            report.add(f"circus, {name}: processes ended needlessly", ended - must_go)


class Circus:
    """A running circusd."""

    def __init__(self, folder: Path, process: psutil.Popen) -> None:
        self._folder = folder
        self._process = process
        self._replicas = dict(WORKERS)
        self._concurrency = CONCURRENCY
        self._level = "INFO"

    def edit(self, change: Mapping[str, object], conforms: Conforms) -> tuple[float, int]:
        """Write the file, reload, wait; return (seconds, processes that ended)."""
        before = self.processes()
        self._replicas["characters"] = int(str(change.get("replicas", self._replicas["characters"])))
        self._concurrency = int(str(change.get("concurrency", self._concurrency)))
        self._level = str(change.get("level", self._level))
        began = time.monotonic()
        self.write()
        command = [sys.executable, "-m", "circus.circusctl", "--endpoint", self._endpoint, "--timeout", "60"]
        subprocess.run([*command, "reloadconfig"], check=True, stdout=subprocess.DEVNULL)
        self.wait(conforms)
        seconds = time.monotonic() - began
        time.sleep(1.0)  # what restarts late is seen too
        after = {pid for pids in self.processes().values() for pid in pids}
        return seconds, sum(pid not in after for pids in before.values() for pid in pids)

    def wait(self, conforms: Conforms) -> None:
        """Return when the processes are as wanted; SystemExit when they do not become so."""
        deadline = time.monotonic() + WITHIN_S
        while not conforms(self.processes()):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise SystemExit(f"circus did not follow: {self.processes()}; see {self._folder}/circus.log")
            time.sleep(0.02)

    def processes(self) -> dict[str, dict[int, int]]:
        """Return {worker: {pid: concurrency}} of the processes that live."""
        found: dict[str, dict[int, int]] = {}
        for process in self._process.children():
            try:
                words = process.cmdline()
                # A child that has forked and not yet become the job still has circusd's words.
                if words[1:2] == [str(self._folder / "job.py")] and process.status() != psutil.STATUS_ZOMBIE:
                    found.setdefault(words[2], {})[process.pid] = int(words[3])
            except psutil.Error:
                continue
        return found

    def write(self) -> None:
        """Write circus.ini."""
        lines = [
            "[circus]",
            f"endpoint = {self._endpoint}",
            f"pubsub_endpoint = ipc://{self._folder}/pubsub",
            f"loglevel = {self._level}",
        ]
        for worker, replicas in self._replicas.items():
            concurrency = self._concurrency if worker == "characters" else CONCURRENCY
            lines += [f"[watcher:{worker}]", f"cmd = {sys.executable} {self._folder}/job.py {worker} {concurrency}"]
            lines += [f"numprocesses = {replicas}", "graceful_timeout = 25", "copy_env = True"]
        (self._folder / "circus.ini").write_text("\n".join(lines) + "\n")

    @property
    def _endpoint(self) -> str:
        return f"ipc://{self._folder}/control"


@contextmanager
def circusd(folder: Path) -> Iterator[Circus]:
    (folder / "job.py").write_text(JOB)
    with (folder / "circus.log").open("wb") as log:
        writer = Circus(folder, None)
        writer.write()
        command = [sys.executable, "-m", "circus.circusd", str(folder / "circus.ini")]
        process = psutil.Popen(command, stdout=log, stderr=log)
        try:
            yield Circus(folder, process)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except psutil.TimeoutExpired:
                for each in [*process.children(recursive=True), process]:
                    each.kill()


def _is(found: dict[str, dict[int, int]], worker: str, concurrency: int, replicas: int) -> bool:
    return sorted(found.get(worker, {}).values()) == [concurrency] * replicas
