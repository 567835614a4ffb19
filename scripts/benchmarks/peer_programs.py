"""The peers' own programs: installed once into var/bench/peers, and a Redis of their own."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INSTALLED = Path("var/bench/peers")
SOURCES = Path(__file__).parent / "peers"
NPM = ("bullmq@6", "ioredis@5")
PIP = ("saq[redis]==0.26.*", "huey==3.5.*", "typing_extensions")


@dataclass(frozen=True, slots=True)
class Redis:
    """A running Redis. socket: where it listens."""

    socket: Path
    pid: int


def node(script: str) -> list[str] | None:
    """Return the command of a script of `peers/` for Node, None when it cannot run here."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None or not has_redis():
        return None
    INSTALLED.mkdir(parents=True, exist_ok=True)
    if not (INSTALLED / "node_modules").exists():
        subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund", *NPM], cwd=INSTALLED, check=True)
    shutil.copy(SOURCES / script, INSTALLED)  # node looks for modules beside the file
    return [program, str(INSTALLED / script)]


def python(script: str) -> list[str]:
    """Return the command of a script of `peers/` for a Python that has them."""
    program = INSTALLED / "venv" / "bin" / "python"
    stamp = INSTALLED / "venv" / "installed"
    if not stamp.exists() or stamp.read_text() != " ".join(PIP):
        INSTALLED.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(INSTALLED / "venv")], check=True)
        subprocess.run([str(program), "-m", "pip", "install", "--quiet", *PIP], check=True)
        stamp.write_text(" ".join(PIP))
    return [str(program), str(SOURCES / script)]


def has_redis() -> bool:
    """Tell whether a Redis can be started here."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis(folder: Path, appendfsync: str = "") -> Iterator[Redis]:
    """Run a Redis that nobody else uses. appendfsync: "always", "everysec", "" = it keeps nothing."""
    socket = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    if appendfsync:
        command += ["--appendonly", "yes", "--appendfsync", appendfsync]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.02)
        yield Redis(socket, process.pid)
    finally:
        process.terminate()
        process.wait(10)
