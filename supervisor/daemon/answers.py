"""What the control API is told: the whole program's answers, gathered from its parts."""

import os
from collections.abc import Iterable
from typing import Any

from supervisor.control.scale import Scaled, ScaleRequest
from supervisor.control.snapshot import Snapshot
from supervisor.control.status import status_of
from supervisor.daemon.following import Follower
from supervisor.daemon.parts import Parts
from supervisor.daemon.scaling import Scaler
from supervisor.pools.alerts import Alert, AlertAnswer


class Answers:
    """Implements `control.face.Face`. stage: starting, running or draining; set by the daemon."""

    def __init__(self, parts: Parts, follower: Follower) -> None:
        self._parts = parts
        self._follower = follower
        self._scaler = Scaler(parts, follower)
        self._started_at = parts.clock.wall()
        self.stage = "starting"

    def snapshot(self) -> Snapshot:
        """Return one look at everything."""
        return Snapshot(
            now=self._parts.clock.wall(),
            started_at=self._started_at,
            pid=os.getpid(),
            config=self._follower.config,
            generation=self._follower.generation,
            reload=self._follower.last_reload,
            reasons_not_ready=self.reasons_not_ready(),
            limiter=self._parts.permits.statistics(),
            pools=self._parts.pools.statistics(),
            database=self._parts.database.statistics(),
            measurements=self._parts.measurements,
            memory=self._parts.memory.pss_bytes,
            autoscale=self._parts.autoscaler.statistics(),
            needs_restart=self._follower.needs_restart,
        )

    def status(self) -> dict[str, Any]:
        """See `Face`."""
        return status_of(self.snapshot())

    def reasons_not_ready(self) -> list[str]:
        """See `Face`."""
        reasons = [] if self.stage == "running" else [f"the supervisor is {self.stage}"]
        database = self._parts.database.statistics()
        if database.state != "ready":
            reasons.append(f"the database is {database.state} {database.reason}".strip())
        elif database.pulse is not None and database.pulse.trouble:
            reasons.append(database.pulse.trouble)
        if not any(key.state == "ok" for key in self._parts.permits.statistics().keys):
            reasons.append("no key can be used")
        pools = self._parts.pools.statistics().workers.values()
        if not any(pool.effective_replicas for pool in pools):
            reasons.append("no replica is ready")
        return reasons

    async def ask(
        self, method: str, params: dict[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> tuple[int, bytes]:
        """See `Face`."""
        return await self._parts.database.ask(method, params, body, timeout_s)

    async def verify_keys(self, name: str | None) -> list[dict[str, Any]]:
        """See `Face`."""
        checks = await self._parts.permits.verify(name)
        return [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]

    async def set_disabled(self, key: str, disabled: bool) -> dict[str, Any]:
        """See `Face`."""
        await self._follower.set_disabled(key, disabled)
        return self._key(key)

    async def unlock_key(self, key: str) -> dict[str, Any]:
        """See `Face`."""
        self._parts.permits.unlock(key)
        return self._key(key)

    def take_alerts(self, alerts: Iterable[Alert]) -> list[AlertAnswer]:
        """See `Face`."""
        return self._parts.autoscaler.take_alerts(alerts)

    async def scale(self, asked: ScaleRequest) -> Scaled:
        """See `Face`."""
        return await self._scaler.scale(asked)

    async def set_paused(self, worker: str, paused: bool) -> tuple[int, dict[str, Any]]:
        """See `Face`."""
        await self._follower.set_paused(worker, paused)
        return 200, {"worker": worker, "paused": self._follower.config.workers[worker].paused}

    async def restart(self, worker: str) -> tuple[int, dict[str, Any]]:
        """See `Face`."""
        self._follower.known(worker)
        await self._parts.pools.restart(worker)
        return 202, {"worker": worker, "restarting": True}

    def _key(self, name: str) -> dict[str, Any]:
        return next(key for key in self.status()["keys"] if key["name"] == name)
