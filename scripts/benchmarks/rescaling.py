"""What the rescale benchmark does to a running system: a steady load, edits of its file, and looks at its pools."""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from scripts.benchmarks.system import System, World

LOOK_EVERY_S = 0.02
WITHIN_S = 30.0

Pids = dict[str, dict[str, int]]
"""{worker: {replica: pid}} of those that are ready or start."""


class Editor:
    """Change config.toml as people and programs do: in place, or by putting a new file in its place."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path = path
        self._chance = chance
        self.document = tomlkit.parse(path.read_text())

    def set(self, table: tuple[str, ...], name: str, value: Any) -> float:
        """Write one setting; return the moment (monotonic seconds) at which it was on disk."""
        place: Any = self.document
        for step in table:
            place = place.setdefault(step, tomlkit.table())
        place[name] = value
        return self.write(tomlkit.dumps(self.document).encode())

    def replicas(self) -> dict[str, int]:
        """Return what the file says: {worker: replicas}, its own or its tag's."""
        said = self.document.unwrap()
        tags = {name: table.get("replicas", 1) for name, table in said["tags"].items()}
        return {name: worker.get("replicas", tags.get(worker["tag"], 1)) for name, worker in said["workers"].items()}

    def write(self, content: bytes) -> float:
        """Replace the whole content, one way or the other."""
        if self._chance.random() < 0.5:
            self.path.write_bytes(content)
            return time.monotonic()
        fresh = self.path.with_suffix(".fresh")
        fresh.write_bytes(content)
        fresh.chmod(0o600)
        fresh.replace(self.path)
        return time.monotonic()


def any_edit(chance: random.Random, workers: Sequence[str]) -> tuple[str, tuple[str, ...], str, Any]:
    """Return (whose processes it may change or "", table, setting, value): an edit about one of `workers`."""
    worker = chance.choice(workers)
    name, value = chance.choice(
        [
            ("replicas", chance.randint(1, 8)),
            ("replicas", chance.randint(1, 8)),
            ("concurrency", chance.randint(1, 6)),
            ("concurrency", chance.randint(1, 6)),
            ("weight", chance.randint(1, 9)),
            ("target_per_s", chance.randint(1, 99)),
            ("environment", {"NUMBER": str(chance.randint(1, 1000))}),
            ("level", chance.choice(["info", "warning", "debug"])),
            ("jobs_completed", f"{chance.randint(60, 600)}m"),
        ]
    )
    if name == "level":
        return "", ("log",), "form", "json"
    if name == "jobs_completed":
        return "", ("retention",), name, value
    return worker, ("workers", worker), name, value


class Offer:
    """Enqueue so many new jobs of each worker every second, in a thread, until stopped. offered: entities by worker."""

    def __init__(self, system: System, world: World, per_s: dict[str, int], seconds: int) -> None:
        self._system = system
        self._per_s = per_s
        self._left = {
            "characters": world.entities("characters", per_s["characters"] * seconds + 10),
            "items": [f"eu/{number}" for number in range(1, per_s["items"] * seconds + 10)],
        }
        self.offered: dict[str, set[str]] = {worker: set() for worker in per_s}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Offer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += 1.0
            for worker, per_s in self._per_s.items():
                now, self._left[worker] = self._left[worker][:per_s], self._left[worker][per_s:]
                if now:
                    self._system.enqueue(worker, now)
                    self.offered[worker] |= set(now)


class Bystanders:
    """Watch the pools that an edit does not name.

    What an earlier edit began may still go on: a pool counts when it is at rest, with as many replicas as the file
    says, all ready, and none left of those that a changed environment replaces. looked_at: pools, summed over the
    edits. moved: processes.
    """

    def __init__(self) -> None:
        self.edits = self.looked_at = self.moved = 0
        self._leaving: dict[str, set[int]] = {}
        self._at_rest: Pids = {}

    def before(self, system: System, written: dict[str, int], worker: str, *, replaces: bool) -> None:
        """Note who is at rest, and whom the edit that comes names. written: replicas as the file says."""
        self._at_rest = {}
        for name, found in system.daemon.get("/workers")["workers"].items():
            replicas = {replica: each["pid"] for replica, each in found["replicas"].items()}
            is_whole = all(each["state"] == "ready" for each in found["replicas"].values())
            if name == worker:
                self._leaving[name] = self._leaving.get(name, set()) | set(replicas.values() if replaces else ())
                continue
            is_left = bool(self._leaving.get(name, set()) & set(replicas.values()))
            if is_whole and not is_left and len(replicas) == written[name]:
                self._at_rest[name] = replicas

    def after(self, system: System) -> None:
        """Count the processes of the others that are not what they were."""
        now = pids(system)
        self.edits += 1
        self.looked_at += len(self._at_rest)
        for name, replicas in self._at_rest.items():
            changed = [replica for replica, pid in replicas.items() if now[name].get(replica) != pid]
            self.moved += len(changed)
            if changed:
                print(f"  edit {self.edits}: {name} lost {', '.join(changed)}")


def look(system: System, worker: str) -> dict[str, Any]:
    """Return one worker's status."""
    found: dict[str, Any] = system.daemon.get("/workers")["workers"][worker]
    return found


def until(system: System, worker: str, holds: Callable[[dict[str, Any]], bool], since: float) -> float:
    """Return the seconds from `since` until `holds` of the worker's status; inf when it never does."""
    while time.monotonic() < since + WITHIN_S:
        if holds(look(system, worker)):
            return time.monotonic() - since
        time.sleep(LOOK_EVERY_S)
    return float("inf")


def is_sized(concurrency: int, replicas: int) -> Callable[[dict[str, Any]], bool]:
    """Return a test for a pool that has this size: all ready, none leaving."""

    def holds(worker: dict[str, Any]) -> bool:
        states = [replica["state"] for replica in worker["replicas"].values()]
        return worker["effective"]["concurrency"] == concurrency and states == ["ready"] * replicas

    return holds


def pids(system: System) -> Pids:
    """Return the processes of every pool."""
    workers = system.daemon.get("/workers")["workers"]
    return {
        name: {replica: each["pid"] for replica, each in worker["replicas"].items() if each["state"] != "draining"}
        for name, worker in workers.items()
    }


def finished(system: System, worker: str) -> int:
    """Return the jobs of a worker that have ended well so far."""
    return int(system.query("SELECT count(*) FROM jobs WHERE kind = ? AND state = 'completed'", worker)[0][0])


def logged(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the lines of the supervisor's log with this event."""
    found = []
    for line in (folder / "supervisor.log").read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("event") == name:
            found.append(entry)
    return found


def killed_at_work(folder: Path) -> set[int]:
    """Return the pids of the replicas that were killed although they had become ready.

    One that is not ready yet when it is not wanted any more has no job, and is given a second to go.
    """
    ready, killed = ({line["pid"] for line in logged(folder, f"replica_{what}")} for what in ("ready", "killed"))
    return ready & killed
