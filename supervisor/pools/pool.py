"""The pool of one worker: what it should be, which replicas it has, how they fared.

It decides (with `sizing` and `crashes`) and remembers; it starts, kills and waits for nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Braked, Configure, Tally
from supervisor.core.messages.supervisor_zygote import Fork
from supervisor.pools import exits, sizing
from supervisor.pools.brakes import Brakes
from supervisor.pools.crashes import Crashes
from supervisor.pools.exits import Exit
from supervisor.pools.limits import Limits
from supervisor.pools.replica import Replica
from supervisor.pools.statistics import WorkerStatistics
from supervisor.settings.config import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """What a replica is made of and cannot change while it lives."""

    module: str
    path: str
    environment: dict[str, str] = field(default_factory=dict)


class Pool:
    """All replicas of one worker. worker: its settings; wanted: False = the worker is gone from the config.

    moved_to: the concurrency that autoscale has put in force; None = as configured.
    """

    def __init__(self, worker: Worker, api: dict[str, Any], *, limits: Limits, random: Random, events: Events) -> None:
        self.worker = worker
        self.replicas: dict[int, Replica] = {}
        self.is_wanted = True
        self.moved_to: int | None = None
        self.degraded = False
        self.crashes = Crashes(limits, random)
        self.brakes = Brakes(worker.name, events)
        self._api = api
        self._restarts: Counter[str] = Counter()
        self._last_exit = ""

    @property
    def configure(self) -> Configure:
        """Return the settings that replicas shall have now; a paused pool starts no job."""
        concurrency = self.worker.concurrency if self.moved_to is None else self.moved_to
        return Configure(concurrency=0 if self.worker.paused else concurrency, api=self._api)

    def apply(self, worker: Worker, api: dict[str, Any]) -> bool:
        """Take new settings; replicas that only differ in numbers are told, the others become stale.

        Return whether they did: then their successors shall have the code of today.
        """
        rebuilt = _recipe(worker) != _recipe(self.worker)
        self.worker = worker
        self._api = api
        self.is_wanted = True
        self.crashes.refused = False  # the configuration has changed: worth one more try
        if rebuilt:
            self.renew()
        for replica in self.replicas.values():
            replica.configure(self.configure)
        return rebuilt

    def move_to(self, concurrency: int | None) -> None:
        """Have `concurrency` slots in each replica from now on, whatever is configured; None = as configured."""
        self.moved_to = concurrency
        for replica in self.replicas.values():
            replica.configure(self.configure)

    def renew(self) -> None:
        """Replace every replica, rolling; earlier crashes say nothing about the new ones."""
        self.crashes.forget()
        for replica in self.replicas.values():
            replica.stale = True
        self.brakes.forget()

    def recycle(self, pss_bytes: Mapping[int, int]) -> Replica | None:
        """Mark the heaviest replica above the worker's max_pss as to be replaced, rolling; return it.

        pss_bytes: by pid. None = all are light, or the pool is still busy replacing others.
        """
        by_slot = {number: pss_bytes.get(replica.pid, 0) for number, replica in self.replicas.items()}
        views = [replica.view() for replica in self.replicas.values()]
        number = sizing.too_heavy(views, by_slot, self.worker.max_pss_bytes)
        if number is None:
            return None
        self._restarts[exits.TOO_HEAVY] += 1
        self.replicas[number].stale = True
        return self.replicas[number]

    def desired(self) -> int:
        """Return how many live replicas there shall be."""
        return self.worker.replicas if self.is_wanted else 0

    def _desired_concurrency(self) -> int:
        """Return the written number; where the file says "auto", what autoscale has found."""
        bounds = self.worker.autoscale
        is_auto = bounds is not None and bounds.auto
        return self.moved_to if is_auto and self.moved_to is not None else self.worker.concurrency

    def plan(self, *, closing: bool) -> sizing.Plan:
        """Return what brings the replicas to the desired number; closing: to none."""
        return sizing.plan(0 if closing else self.desired(), [replica.view() for replica in self.replicas.values()])

    def is_settled(self) -> bool:
        """Tell whether all desired replicas are ready at the size they shall have, and all others on their way out."""
        live = [r for r in self.replicas.values() if r.state in {sizing.STARTING, sizing.READY}]
        ready = [r for r in live if r.state == sizing.READY and not r.stale]
        return len(live) == len(ready) == self.desired() and self._concurrency() == self.configure.concurrency

    def fork(self, number: int, database_socket: Path) -> Fork:
        """Return the request for the replica of slot `number`."""
        recipe = _recipe(self.worker)
        return Fork(
            replica=f"{self.worker.name}#{number}",
            worker=self.worker.name,
            module=recipe.module,
            path=recipe.path,
            database_socket=str(database_socket),
            environment=recipe.environment,
        )

    def add(self, replica: Replica) -> None:
        """Take a new replica into its slot."""
        self.replicas[replica.number] = replica
        replica.configure(self.configure)
        replica.brake(Braked(self.brakes.engaged()))

    def tallied(self, replica: Replica, tally: Tally, now: float) -> None:
        """Learn from what a replica has read; tell all of them what that changes for them."""
        if replica.stale:  # by the code of yesterday, which says nothing about its successors
            return
        has_changed = self.brakes.add(tally, now)
        probes = self.brakes.take_probes(replica.name, now)
        if not has_changed and not probes:
            return
        engaged = self.brakes.engaged()
        for each in self.replicas.values():
            if not each.stale:
                each.brake(Braked(engaged, probes if each is replica else []))

    def remove(self, replica: Replica, end: Exit, now: float) -> None:
        """Clear the slot of a replica that has ended, and learn from how it ended."""
        self.replicas.pop(replica.number, None)
        self._last_exit = f"{replica.name}: {end.status}"
        if end.reason not in {exits.DRAINED, exits.STOPPED}:
            self._restarts[end.reason] += 1
        if end.reason == exits.CONFIGURATION:
            self.crashes.refuse()
        elif end.needs_backoff:
            ready_for_s = 0.0 if replica.ready_at is None else now - replica.ready_at
            self.crashes.record(replica.number, now, ready_for_s=ready_for_s)

    def statistics(self, now: float) -> WorkerStatistics:
        """Return what people see of the pool."""
        replicas = tuple(self.replicas[number].statistics(now) for number in sorted(self.replicas))
        states = Counter(replica.state for replica in replicas)
        return WorkerStatistics(
            worker=self.worker.name,
            desired_replicas=self.desired(),
            desired_concurrency=self._desired_concurrency(),
            effective_replicas=states[sizing.READY],
            effective_concurrency=self._concurrency(),
            paused=self.worker.paused,
            states=dict(states),
            executing=sum(replica.executing for replica in replicas),
            restarts=dict(self._restarts),
            degraded=self.crashes.is_degraded(now),
            refused=self.crashes.refused,
            last_exit=self._last_exit,
            replicas=replicas,
            braked=self.brakes.statistics(now),
        )

    def _concurrency(self) -> int:
        """Return the concurrency in force: while replicas differ, that of the one furthest from the desired."""
        desired = self.configure.concurrency
        said = [r.concurrency for r in self.replicas.values() if r.state == sizing.READY and r.concurrency is not None]
        return max(said, key=lambda concurrency: abs(concurrency - desired), default=desired)


def _recipe(worker: Worker) -> _Recipe:
    return _Recipe(module=worker.job, path=worker.path, environment=worker.environment)
