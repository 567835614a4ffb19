"""Deeds (see `packages/deeds`) on a system: give them, read their diary, count their effects."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmarks.system import System
from supervisor.core.errors import GathererError

PACKAGES = Path(__file__).parent / "packages"
FEED_EVERY_S = 0.25
FEED = 10


def worker(tag: str = "any", **settings: Any) -> dict[str, Any]:
    """Return [workers.deeds]."""
    return {"job": "deeds.deeds", "path": str(PACKAGES), "tag": tag} | settings


@dataclass(frozen=True, slots=True)
class Begun:
    """One line of the diary. at: monotonic."""

    job: int
    lease: int
    pid: int
    at: float


class Deeds:
    """All deeds given to one system. accepted: those that it said it has."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._diary = system.folder / "diary"
        self._numbers = itertools.count(1)
        self.accepted: set[str] = set()

    def give(self, n: int, priority: str = "normal", **arguments: Any) -> list[str]:
        """Enqueue `n` deeds and return their entities. GathererError: perhaps enqueued, not accepted."""
        entities = [f"eu/d{next(self._numbers)}" for _ in range(n)]
        self._system.enqueue("deeds", entities, priority, args={"diary": str(self._diary), **arguments})
        self.accepted.update(entities)
        return entities

    def diary(self) -> list[Begun]:
        """Return who began what when, in the order of the lines."""
        if not self._diary.exists():
            return []
        lines = [line.split() for line in self._diary.read_text().splitlines()]
        return [Begun(int(job), int(lease), int(pid), float(at)) for job, lease, pid, at in lines]

    def states(self) -> dict[str, str]:
        """Return each deed's last state by entity."""
        return dict(self._system.query("SELECT entity, state FROM jobs WHERE kind = 'deeds' ORDER BY id"))

    def unfinished(self) -> int:
        """Return how many are neither completed nor discarded."""
        ended = "('completed', 'discarded', 'cancelled')"
        found = self._system.query(f"SELECT count(*) FROM jobs WHERE kind = 'deeds' AND state NOT IN {ended}")
        return int(found[0][0])

    def lost(self) -> set[str]:
        """Return what was accepted and of which nothing is known any more."""
        return self.accepted - set(self.states())

    def effects(self) -> tuple[int, int, int]:
        """Return (effects, deeds that took effect, completed deeds without any)."""
        rows, deeds = self._system.query("SELECT count(*), count(DISTINCT deed) FROM deed_effects")[0]
        without = self._system.query(
            "SELECT count(*) FROM jobs WHERE kind = 'deeds' AND state = 'completed'"
            " AND entity NOT IN (SELECT 'eu/' || deed FROM deed_effects)"
        )
        return int(rows), int(deeds), int(without[0][0])

    @contextmanager
    def fed(self, **arguments: Any) -> Iterator[None]:
        """Give FEED deeds every FEED_EVERY_S while the block lasts, whatever happens to the system."""
        over = threading.Event()

        def feed() -> None:
            while not over.wait(FEED_EVERY_S):
                try:
                    self.give(FEED, **arguments)
                except GathererError:
                    continue  # not accepted: nobody was promised anything

        thread = threading.Thread(target=feed, name="feeder")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
