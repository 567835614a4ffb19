"""The demo's two programs: the simulated API and the supervisor, started here and never left behind.

Each is in a process group of its own, so that Ctrl-C reaches only the demo, which then ends them in
order; and each dies with the demo, should that be killed.
"""

import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.core.errors import GathererError, UnavailableError
from supervisor.core.program import child_command, die_with_parent, own_command
from supervisor.settings.shipped import shipped

START_S = 30.0
STOP_S = 40.0
MAX_SOCKET_PATH = 100  # sun_path has 108 bytes
LOG_TAIL = 15
FOLDER_VARIABLES = ("STATE_DIRECTORY", "RUNTIME_DIRECTORY", "GATHERER_CONFIG")
# Enough for a minute at the guide's speed, with bodies in their recorded sizes.
WORLD = ("--realms", "12", "--characters-per-realm", "2000", "--auctions", "3000", "--commodities", "8000")


@dataclass(slots=True)
class Program:
    """One child process and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, seconds: float) -> None:
        """Return after `seconds`. GathererError with the end of its log when it ends before."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.check()

    def check(self) -> None:
        """GathererError when it has ended."""
        code = self.process.poll()
        if code is not None:
            raise GathererError(f"the {self.name} ended with exit code {code}:\n{self.tail()}")

    def stop(self, grace_s: float = STOP_S) -> int:
        """Ask it to end, insist after `grace_s`; return its exit code. Safe when called twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                return self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def tail(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-LOG_TAIL:])


@contextlib.contextmanager
def started(name: str, command: list[str], log: Path, *, stdout: int | None = None) -> Iterator[Program]:
    """Run `command` while the block lasts, whatever ends the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file if stdout is None else stdout,
            stderr=file,
            env={name: value for name, value in os.environ.items() if name not in FOLDER_VARIABLES},
            process_group=0,
            preexec_fn=functools.partial(die_with_parent, os.getpid()),  # no threads yet
        )
    program = Program(name, process, log)
    try:
        yield program
    finally:
        program.stop()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def simulator(folder: Path) -> Iterator[tuple[Program, dict[str, Any]]]:
    """Run the simulated API; give it and its addresses: {"base_url", "token_url"}."""
    keys = tomllib.loads(shipped("demo.toml"))["keys"]
    clients = [word for key in keys for word in ("--client", f"{key['client_id']}:{key['client_secret']}")]
    command = child_command("simulator", "--listen", "127.0.0.1:0", "--parent", str(os.getpid()), *WORLD, *clients)
    with started("simulator", command, folder / "simulator.log", stdout=subprocess.PIPE) as program:
        assert program.process.stdout is not None
        ready, _, _ = select.select([program.process.stdout], [], [], START_S)
        line = program.process.stdout.readline() if ready else b""
        if not line:
            raise GathererError(f"the simulator did not start:\n{program.tail()}")
        yield program, json.loads(line)


@contextlib.contextmanager
def supervisor(folder: Path, addresses: Mapping[str, str]) -> Iterator[tuple[Program, Path]]:
    """Run Gatherer with the demo's configuration; give it and its run_dir. It need not be ready yet."""
    text = shipped("demo.toml")
    text = text.replace("{simulator}", addresses["base_url"]).replace("{token_url}", addresses["token_url"])
    config = folder / "config.toml"
    config.touch(mode=0o600)
    config.write_text(text, encoding="utf-8")
    with _run_dir(folder) as run_dir:
        command = own_command("run", "--config", str(config), "--set", f"run_dir={run_dir}")
        with started("supervisor", command, folder / "supervisor.log") as program:
            yield program, run_dir


@contextlib.contextmanager
def _run_dir(folder: Path) -> Iterator[Path]:
    """Give a folder for sockets: beside the state, or a short one when that path is too long for a socket."""
    near = folder / "run"
    if len(os.fsencode(near)) <= MAX_SOCKET_PATH - len("/database.sock"):
        near.mkdir(mode=0o700, exist_ok=True)
        yield near
        return
    with tempfile.TemporaryDirectory(prefix="gatherer-") as far:
        yield Path(far)


class Interruption:
    """Ends the demo on Ctrl-C and SIGTERM by an exception, so that every block is left in order.

    Python drops an exception that a signal handler raises while a finalizer runs; then `check` raises it once more.
    """

    def __init__(self) -> None:
        self._is_asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)

    def check(self) -> None:
        """KeyboardInterrupt when somebody has asked."""
        if self._is_asked:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: object) -> None:
        self._is_asked = True
        raise KeyboardInterrupt


def unavailable(program: Program) -> UnavailableError:
    """Return the error for a program that does not become ready."""
    return UnavailableError(f"the {program.name} is not ready after {START_S:g} s:\n{program.tail()}")
