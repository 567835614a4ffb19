"""One look at everything at once: what `status` and /metrics are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.control.measurements import Measurements
from supervisor.database.statistics import DatabaseStatistics
from supervisor.limiter.statistics import LimiterStatistics
from supervisor.pools.statistics import AutoscaleStatistics, PoolsStatistics
from supervisor.settings.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """The last reading of the configuration file. at: wall seconds.

    errors: its problems; () = in force. changes: what it changed, "setting: before → after (what that does)".
    """

    at: float
    errors: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether the file is in force."""
        return not self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Made by the daemon for one answer. now, started_at: wall seconds. memory: {pid: PSS bytes}, may be empty.

    autoscale: of the workers that it may move.
    needs_restart: a sentence for each setting of the file that waits for the next start.
    """

    now: float
    started_at: float
    pid: int
    config: Config
    generation: int
    reload: Reload
    reasons_not_ready: list[str]
    limiter: LimiterStatistics
    pools: PoolsStatistics
    database: DatabaseStatistics
    measurements: Measurements
    memory: Mapping[int, int] = field(default_factory=dict)
    autoscale: Mapping[str, AutoscaleStatistics] = field(default_factory=dict)
    needs_restart: tuple[str, ...] = ()

    def counts(self, worker: str) -> dict[str, list[int]]:
        """Return {state: [urgent, normal, background]} as of the database's last pulse."""
        pulse = self.database.pulse
        return {} if pulse is None else pulse.counts.get(worker, {})

    def waiting(self, worker: str) -> list[int]:
        """Return the jobs that could start now: [urgent, normal, background]."""
        return self.counts(worker).get("available", [0, 0, 0])

    def fresh_ratio(self, worker: str) -> float | None:
        """Return the share (0..1) of known entities that is fresh enough; None: not counted, or nothing asked for."""
        census = self.database.census
        counted = census.kinds.get(worker) if census is not None else None
        if counted is None or counted.fresh is None:
            return None
        known = sum(counted.by_age)
        return counted.fresh / known if known else 1.0

    def memory_by_role(self) -> dict[str, int]:
        """Return PSS bytes of "supervisor", "database", "zygote" and each worker's replicas together."""
        roles = {self.pid: "supervisor"} | dict.fromkeys(self.pools.zygote_pids, "zygote")
        if self.database.pid:
            roles[self.database.pid] = "database"
        for name, pool in self.pools.workers.items():
            roles |= {replica.pid: name for replica in pool.replicas if replica.pid}
        sums: dict[str, int] = {}
        for pid, pss_bytes in self.memory.items():
            role = roles.get(pid, "other")
            sums[role] = sums.get(role, 0) + pss_bytes
        return sums
