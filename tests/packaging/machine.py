"""A machine to install on: a real systemd on a copy of this one, in namespaces of its own (boot.sh)."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

BOOT = Path(__file__).with_name("boot.sh")
NAMESPACES = ["--fork", "--pid", "--mount-proc", "--mount", "--net", "--cgroup", "--uts", "--ipc", "--kill-child"]
BOOTED_WITHIN_S = 60.0
COMMAND_S = 110.0
SIMULATOR = "http://127.0.0.1:9000"
SIMULATOR_UNIT = f"""\
[Service]
ExecStart=/usr/bin/gatherer simulate --listen {SIMULATOR.removeprefix("http://")} --client the-client:the-secret \
--realms 12 --characters-per-realm 2000 --auctions 3000 --commodities 8000
"""


def why_not() -> str:
    """Return why no machine can be booted here, or ""."""
    if os.geteuid() != 0:
        return "booting a systemd needs root"
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed"
    missing = [name for name in ("unshare", "nsenter", "setpriv", "dpkg") if not shutil.which(name)]
    return f"not installed: {', '.join(missing)}" if missing else ""


class Machine:
    """A booted one. pid: its systemd's, as seen from here."""

    def __init__(self, pid: int) -> None:
        self._enter = ["nsenter", "--target", str(pid), "--all", "--root", "--wd"]
        self._enter_network = ["nsenter", "--target", str(pid), "--net"]

    def attempt(self, *command: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        """Run a command there and return how it ended."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        done = subprocess.run(
            [*self._enter, *command], input=stdin, capture_output=True, env=environment, timeout=COMMAND_S, check=False
        )
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def run(self, *command: str, stdin: bytes = b"") -> str:
        """Run a command there that must end well; return what it printed."""
        done = self.attempt(*command, stdin=stdin)
        if done.returncode != 0:
            log = self.attempt("journalctl", "--no-pager", "--lines", "40").stdout
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}\n{log}")
        return done.stdout

    def write(self, path: str, text: str) -> None:
        self.run("sh", "-c", f'mkdir -p "$(dirname {path})" && cat > {path}', stdin=text.encode())

    def bring(self, file: Path) -> str:
        """Copy a file of ours onto the machine; return its path there."""
        target = f"/root/{file.name}"
        self.run("sh", "-c", f"cat > {target}", stdin=file.read_bytes())
        return target

    def show(self, *properties: str) -> dict[str, str]:
        """Return properties of the service."""
        text = self.run("systemctl", "show", "gatherer.service", f"--property={','.join(properties)}")
        return dict(line.split("=", 1) for line in text.splitlines())

    def main_pid(self) -> int:
        return int(self.show("MainPID")["MainPID"])

    def status(self) -> dict[str, Any]:
        """Return `gatherer status --json`; {} while nobody answers."""
        done = self.attempt("gatherer", "status", "--json")
        found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        return found

    def simulator(self, path: str) -> Any:
        """Ask the simulated API on the machine what it knows."""
        script = (
            f"import urllib.request as r; print(r.urlopen('{SIMULATOR}/_simulator/{path}', timeout=30).read().decode())"
        )
        done = subprocess.run(
            [*self._enter_network, sys.executable, "-c", script], capture_output=True, timeout=COMMAND_S, check=True
        )
        return json.loads(done.stdout)

    def characters(self, count: int) -> list[str]:
        """Return characters of the simulated world."""
        found: list[str] = self.simulator(f"characters?region=eu&limit={count}&after=")["entities"]
        return found


@contextmanager
def booted(folder: Path) -> Iterator[Machine]:
    """Boot a machine and switch it off at the end, whatever happens; `folder` is where its files are mounted."""
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "sh", str(BOOT), str(folder)]
    with (folder.parent / "boot.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        machine = Machine(_child_of(process))
        wait_until(lambda: machine.attempt("systemctl", "is-system-running").stdout.strip(), "running", "degraded")
        yield machine
    finally:
        process.kill()
        process.wait()


def _child_of(process: "subprocess.Popen[bytes]") -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + BOOTED_WITHIN_S
    while not children.read_text().split():
        assert process.poll() is None and time.monotonic() < deadline, "the namespaces could not be made"
        time.sleep(0.05)
    return int(children.read_text().split()[0])


def wait_until(look: Callable[[], T], *wanted: T, within_s: float = BOOTED_WITHIN_S) -> T:
    """Poll until `look()` is one of `wanted`, or true when none are named; fail with the last value."""
    deadline = time.monotonic() + within_s
    while True:
        value = look()
        if value in wanted if wanted else value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s:g} s; last seen: {value!r}"
        time.sleep(0.2)
