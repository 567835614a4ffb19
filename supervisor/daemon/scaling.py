"""A person's change of concurrency or replicas: kept where the configuration says, and answered when in force.

1. one at a time: what is asked becomes numbers, within bounds
2. kept: in the file, with what people wrote around it; in overrides.toml where [server] edits says so; only for
   this run where a variable of the environment decides, because the next start will obey it again
3. followed like any edit
4. waited for: new replicas ready, surplus draining

What is refused in 1 or 2 has changed nothing.
"""

import asyncio
from collections.abc import Mapping

from supervisor.control import scale
from supervisor.control.scale import Scaled, ScaleRequest, Size
from supervisor.core.errors import ForbiddenError, UsageError
from supervisor.daemon.following import Follower
from supervisor.daemon.parts import Parts
from supervisor.settings.config import AUTO, Worker
from supervisor.settings.overrides import FILE
from supervisor.settings.said import Name, as_written

IN_FORCE_WITHIN_S = 30.0
REFUSE, OVERRIDES = "refuse", "overrides"

Values = Mapping[Name, int | str]


class Scaler:
    """Change the size of pools because somebody asks."""

    def __init__(self, parts: Parts, follower: Follower) -> None:
        self._parts = parts
        self._follower = follower
        self._one_change = asyncio.Lock()  # or two "+1" at once would be one

    async def scale(self, asked: ScaleRequest) -> Scaled:
        """Do what is asked; return when it is in force, at the latest after IN_FORCE_WITHIN_S.

        NotFoundError, UsageError, ForbiddenError, RefusedError, ConfigurationError: nothing was changed, and why.
        """
        started = self._parts.clock.monotonic()
        self._follower.known(asked.worker)
        async with self._one_change:
            before = self._follower.config.workers[asked.worker]
            values = self._values(asked, before)
            kept_in, warnings = await self._keep(asked.worker, values)
            if "concurrency" in values:  # also where the file says so already and autoscale has moved it since
                self._parts.autoscaler.restart(asked.worker)
            self._parts.events.emit("worker_scaled", worker=asked.worker, values=dict(values), kept_in=kept_in)
        in_force = await self._parts.pools.converged(asked.worker, started + IN_FORCE_WITHIN_S)
        warnings += self._doubts(asked.worker, in_force=in_force)
        pool = self._parts.pools.statistics().workers[asked.worker]
        after = self._follower.config.workers[asked.worker]
        return Scaled(
            worker=asked.worker,
            desired=Size(concurrency=as_written(after, "concurrency"), replicas=after.replicas),
            effective=Size(concurrency=pool.effective_concurrency, replicas=pool.effective_replicas),
            took_ms=round(1000 * (self._parts.clock.monotonic() - started)),
            in_force=in_force,
            changed={name: value for name, value in values.items() if value != as_written(before, name)},
            kept_in=kept_in,
            warnings=warnings,
        )

    def _values(self, asked: ScaleRequest, worker: Worker) -> Values:
        """Return what each setting shall be."""
        if self._follower.config.server.edits == REFUSE:
            raise ForbiddenError('[server] edits = "refuse": the size of pools is changed in the file only')
        wanted: dict[Name, int | str | None] = {"concurrency": asked.concurrency, "replicas": asked.replicas}
        moved = self._parts.autoscaler.statistics().get(worker.name)
        now = {"concurrency": moved.concurrency if moved else worker.concurrency, "replicas": worker.replicas}
        values = {name: scale.resolved(name, value, now[name]) for name, value in wanted.items() if value is not None}
        concurrency, bounds = values.get("concurrency"), worker.autoscale
        if (
            bounds
            and bounds != AUTO
            and isinstance(concurrency, int)
            and concurrency
            and not bounds.min <= concurrency <= bounds.max
        ):
            raise UsageError(f"concurrency: {concurrency} is outside autoscale's min {bounds.min} .. max {bounds.max}")
        return values

    async def _keep(self, worker: str, values: Values) -> tuple[list[str], list[str]]:
        """Put the values in force; return where they are kept, and what to know about that."""
        config, follower = self._follower.config, self._follower
        settings = {name: f"workers.{worker}.{name}" for name in values}
        pinned = {name: value for name, value in values.items() if settings[name] in config.pinned}
        free = {name: value for name, value in values.items() if name not in pinned}
        kept_in: list[str] = []
        if free and config.server.edits == OVERRIDES:
            await follower.override(worker, free)
            kept_in.append(str(config.state_dir / FILE))
        elif free:
            await follower.edit(worker, free)
            kept_in.append(str(config.path))
        if pinned:
            follower.override_for_this_run(worker, pinned)
            kept_in.append("this run")
        origins = {settings[name]: config.pinned[settings[name]] for name in pinned}
        return kept_in, [
            f"{setting} is pinned by {origin}, which decides again at the next start"
            for setting, origin in origins.items()
        ]

    def _doubts(self, worker: str, *, in_force: bool) -> list[str]:
        """Return why the worker may not do what its numbers promise."""
        pool = self._parts.pools.statistics().workers[worker]
        doubts = []
        if pool.paused:
            doubts.append(f"{worker} is paused and starts no job until: gatherer resume {worker}")
        if not in_force:
            why = f"; last: {pool.last_exit}" if pool.degraded else ""
            doubts.append(
                f"not in force after {IN_FORCE_WITHIN_S:g} s: {pool.effective_replicas} of {pool.desired_replicas}"
                f" replicas are ready{why}"
            )
        return doubts
