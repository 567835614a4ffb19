"""What autoscale looks at and moves, in the running program: limiter, database and pools seen as one."""

from supervisor.control.limits import is_slow
from supervisor.database.link import Database
from supervisor.limiter.server import PermitServer
from supervisor.pools.looks import Look
from supervisor.pools.pools import Pools


class LivePlant:
    """See `pools.autoscaler.Plant`."""

    def __init__(self, *, permits: PermitServer, database: Database, pools: Pools) -> None:
        self._permits = permits
        self._database = database
        self._pools = pools

    def look(self, worker: str) -> Look:
        """Return how the worker's queue and keys stand now."""
        pressure = self._permits.pressure(worker)
        pulse = self._database.statistics().pulse
        return Look(
            waiting=pressure.claimable,
            held=pressure.held,
            held_by=pressure.held_by,
            has_room=pressure.has_room,
            granted=pressure.granted,
            refused=pressure.refused,
            failed=pressure.failed,
            database_slow=pulse is not None and is_slow(pulse),
        )

    def ready_replicas(self, worker: str) -> int:
        """Return how many replicas work."""
        return self._pools.ready_replicas(worker)

    def set_concurrency(self, worker: str, concurrency: int | None) -> None:
        """Put `concurrency` in force in each replica, in place; None = as configured."""
        self._pools.set_concurrency(worker, concurrency)
