"""Give work to a system that is being broken, and keep a ledger of what it acknowledged."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from random import Random

from scripts.benchmarks.deeds import Deeds
from scripts.benchmarks.system import System
from scripts.soaking.audits.jobs import Accepted
from scripts.soaking.worlds import Work
from supervisor.core.errors import GathererError

FEED_EVERY_S = 1.0
FILL_SHARE = 0.6  # of the phase: one round through all work; then it begins again, more slowly
QUIET_SHARE = 0.85  # of the phase: from then on only what was not acknowledged yet
DEEDS = 2
CLI_EVERY = 20  # of the feeds: by the command line
CLI_WITHIN_S = 60.0
PRIORITIES = ("urgent", "normal", "background")


class Ledger:
    """What was acknowledged. Any thread may write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Accepted] = []
        self.refused = 0

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, work: Work, asked_at: float) -> None:
        with self._lock:
            self._entries += [Accepted(kind, entity, asked_at) for kind, entity in work]

    def entries(self) -> list[Accepted]:
        with self._lock:
            return list(self._entries)


class Feeder:
    """Enqueue all of `work` in the first part of a phase and again after that, over HTTP and the command line.

    What was not acknowledged is offered again: nobody was promised anything.
    """

    def __init__(
        self, system: System, ledger: Ledger, deeds: Deeds, work: Work, seconds: float, chance: Random
    ) -> None:
        self._system = system
        self._ledger = ledger
        self._deeds = deeds
        self._left = list(work)
        self._again = list(work)
        self._quiet_at = time.monotonic() + QUIET_SHARE * seconds
        self._at_once = max(1, int(len(work) * FEED_EVERY_S / (seconds * FILL_SHARE)))
        self._chance = chance
        self._over = threading.Event()
        self._beside = ThreadPoolExecutor(1, "feeder")
        self.outputs: list[bytes] = []

    def __enter__(self) -> "Feeder":
        self._running = self._beside.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._running.result()  # an error of ours must not pass for an idle hour
        self._beside.shutdown()

    def remaining(self) -> Work:
        """Return what was never acknowledged; after the block."""
        return self._left

    def _run(self) -> None:
        feeds = 0
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due = max(due + FEED_EVERY_S, time.monotonic())
            feeds += 1
            way = self._by_command if feeds % CLI_EVERY == 0 else self._by_http
            if self._left:
                self._offer(self._left, way)
            elif time.monotonic() < self._quiet_at:
                self._ask_again(way)
            self._give_deeds()

    def _offer(self, work: Work, way: Callable[[Work], bool]) -> None:
        now, self._left = work[: self._at_once], work[self._at_once :]
        if not way(now):
            self._left += now

    def _ask_again(self, way: Callable[[Work], bool]) -> None:
        way(self._chance.sample(self._again, min(len(self._again), self._at_once // 3 + 1)))

    def _by_http(self, work: Work) -> bool:
        asked_at = time.time()
        try:
            accept(self._system, self._ledger, work, asked_at, self._chance.choice(PRIORITIES))
        except GathererError:
            self._ledger.refused += 1
            return False
        return True

    def _by_command(self, work: Work) -> bool:
        """Enqueue those of one worker with `gatherer enqueue`; exit code 0 is an acknowledgement."""
        kind = work[0][0]
        mine = [entity for each, entity in work if each == kind]
        asked_at = time.time()
        command = [sys.executable, "-m", "supervisor.cli", "enqueue", kind, "--file", "-", "--max-age", "0"]
        command += ["--run-dir", str(self._system.folder / "run")]
        try:
            ended = subprocess.run(command, input="\n".join(mine).encode(), capture_output=True, timeout=CLI_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._ledger.refused += 1
            return False
        self.outputs.append(ended.stdout + ended.stderr)
        if ended.returncode == 0:
            self._ledger.note([(kind, entity) for entity in mine], asked_at)
            return self._by_http([each for each in work if each[0] != kind]) if len(mine) < len(work) else True
        self._ledger.refused += 1
        return False

    def _give_deeds(self) -> None:
        try:
            self._deeds.give(DEEDS, do="ask")
        except GathererError:
            self._ledger.refused += 1


def accept(system: System, ledger: Ledger | None, work: Work, asked_at: float, priority: str) -> None:
    """Enqueue, whatever was read lately; note it as accepted when it was. GathererError: perhaps enqueued."""
    for kind, group in groupby(sorted(work), key=lambda each: each[0]):
        mine = list(group)
        system.enqueue(kind, [entity for _, entity in mine], priority, max_age_s=0)
        if ledger is not None:
            ledger.note(mine, asked_at)
