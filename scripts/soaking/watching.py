"""Look at a system while it is broken: memory, descriptors, zombies, and whether it tells a secret."""

import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import psutil

from scripts.benchmarks.system import System, name_of
from scripts.soaking.audits.secrets import Needles

LOOK_EVERY_S = 2.0
READ_EVERY = 5  # of the looks
ZOMBIE_FOR_S = 10.0
HELD_OF_A_ZYGOTE = ("pipe", "socket", "[pidfd]")
PAGES = (
    "/", "/workers", "/keys", "/metrics", "/jobs?limit=200", "/jobs?state=discarded", "/queues", "/statistics",
    "/openapi.json", "/readyz", "/export?table=characters", "/entities/eu/nobody", "/workers/concurrency",
)  # fmt: skip  # one line as it is read


class Watch:
    """Samples in a thread while its block lasts.

    memory: {name/pid: [(monotonic seconds, private MB)]}; most_mb: the largest replica of each worker.
    """

    def __init__(self, system: System, needles: Needles) -> None:
        self._system = system
        self._needles = needles
        self._over = threading.Event()
        self._beside = ThreadPoolExecutor(1, "watch")
        self._zombies: dict[tuple[int, float], float] = {}
        self.memory: dict[str, list[tuple[float, float]]] = {}
        self.most_mb: dict[str, float] = {}
        self.zombies: list[str] = []
        self.read: Counter[int] = Counter()

    def __enter__(self) -> "Watch":
        self._running = self._beside.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._running.result()  # an error of ours must not pass for a clean look
        self._beside.shutdown()

    def since(self, moment: float) -> dict[str, list[tuple[float, float]]]:
        """Return the samples from `moment` on of those that lived from then to the end."""
        last = max((samples[-1][0] for samples in self.memory.values()), default=0.0)
        return {
            name: [sample for sample in samples if sample[0] >= moment]
            for name, samples in self.memory.items()
            if samples[0][0] <= moment + 2 * LOOK_EVERY_S and samples[-1][0] >= last - 2 * LOOK_EVERY_S
        }

    def _run(self) -> None:
        looks = 0
        while not self._over.wait(LOOK_EVERY_S):
            looks += 1
            with suppress(psutil.NoSuchProcess, OSError):
                self._look()
            if looks % READ_EVERY == 0:
                self._read_pages()

    def _look(self) -> None:
        now = time.monotonic()
        for process in self._system.processes():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied, IndexError, OSError):
                if process.status() == psutil.STATUS_ZOMBIE:
                    self._note_zombie(process, now)
                    continue
                name, mb = name_of(process), process.memory_full_info().uss / 1e6
                self.memory.setdefault(f"{name}/{process.pid}", []).append((now, mb))
                if "#" in name:
                    worker = name.partition("#")[0]
                    self.most_mb[worker] = max(mb, self.most_mb.get(worker, 0.0))

    def _note_zombie(self, process: psutil.Process, now: float) -> None:
        key = (process.pid, process.create_time())
        first = self._zombies.setdefault(key, now)
        if now - first > ZOMBIE_FOR_S and first > 0:
            self._zombies[key] = -1.0  # told once
            self.zombies.append(f"zombie {process.pid} ({process.name()}) for {now - first:.0f} s")

    def _read_pages(self) -> None:
        """Read what anybody may read; it may well be down."""
        with suppress(OSError, HTTPException, StopIteration, ValueError):
            port = self._system.port()
            for page in PAGES:
                self._read(f"http://127.0.0.1:{port}{page}")

    def _read(self, url: str) -> None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, error.read()
        self.read[status] += 1
        self._needles.search(url, body)


def descriptors(system: System) -> dict[str, int]:
    """Count the open descriptors of each role and kind ("supervisor pipe"), of replicas the most of any.

    Connections of TCP are left out: the API's clients keep them open for a while, on purpose. So is what the supervisor
    holds of each zygote: a generation lives as long as a replica of it, so there are up to as many as workers.
    """
    found: Counter[str] = Counter()
    zygotes = 0
    for process in system.processes():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, IndexError, FileNotFoundError):
            role = name_of(process).partition("#")[0]
            zygotes += role == "zygote"
            kinds = Counter(map(_kind, Path(f"/proc/{process.pid}/fd").iterdir()))
            kinds["socket"] -= len(process.net_connections("inet"))
            found |= Counter({f"{role} {kind}": n for kind, n in kinds.items() if kind})
    return dict(found - Counter({f"supervisor {kind}": zygotes for kind in HELD_OF_A_ZYGOTE}))


def _kind(descriptor: Path) -> str:
    """Return "socket", "pipe", "[pidfd]" and the like, or "file"; "" = closed meanwhile."""
    try:
        target = str(descriptor.readlink())
    except OSError:
        return ""
    return "file" if target.startswith("/") else target.removeprefix("anon_inode:").partition(":")[0]
