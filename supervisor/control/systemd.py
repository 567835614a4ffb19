"""Tell systemd how we are (sd_notify): READY when the pools are, RELOADING, STATUS, WATCHDOG, STOPPING.

    $NOTIFY_SOCKET   a datagram socket, "@" first = abstract; lines NAME=VALUE. Absent: nobody is told anything
    $WATCHDOG_USEC   systemd kills us when no WATCHDOG=1 arrives for so long; the event loop itself sends it

Source: man sd_notify(3) and systemd.service(5), systemd 252, read 2026-11. Children do not see the variables.
"""

import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from supervisor.control.snapshot import Snapshot
from supervisor.core.clock import Clock
from supervisor.core.text import printable

TICK_S = 1.0
STARTING_TICK_S = 0.1
# While the database migrates; how long that may take is limited by its own start (database/lifeline.py).
MORE_TIME_S = 60
MAX_STATUS = 300


class Systemd:
    """Send what changed. A listener of events (`listen`) and a loop (`run`); both do nothing without a socket."""

    def __init__(self, *, environment: Mapping[str, str], snapshot: Callable[[], Snapshot], clock: Clock) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._socket = _connect(environment.get("NOTIFY_SOCKET", ""))
        self._is_watched = bool(environment.get("WATCHDOG_USEC"))
        self._is_ready = False
        self._is_draining = False
        self._status = ""

    async def run(self) -> None:
        """Tell until cancelled; return at once when nobody listens."""
        try:
            while self._socket is not None:
                self.run_once()
                tick_s = TICK_S if self._is_ready else STARTING_TICK_S
                await self._clock.sleep_until(self._clock.monotonic() + tick_s)
        finally:
            self.close()

    def close(self) -> None:
        """Say nothing more. Safe when called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def run_once(self) -> None:
        """Feed the watchdog, and say what has changed."""
        snapshot = self._snapshot()
        lines = ["WATCHDOG=1"] if self._is_watched else []
        if not self._is_ready and are_pools_ready(snapshot):
            self._is_ready = True
            lines.append("READY=1")
        elif not self._is_ready and snapshot.database.state != "ready":
            lines.append(f"EXTEND_TIMEOUT_USEC={MORE_TIME_S * 1_000_000}")
        status = "draining: running jobs may end" if self._is_draining else status_line(snapshot)
        if status != self._status:
            self._status = status
            lines.append(f"STATUS={status}")
        self._send(lines)

    def listen(self, name: str, fields: dict[str, Any]) -> None:
        """Take an event: reloads and the drain are told at once, not with the next tick."""
        match name:
            case "reload_begun":
                # Without the time systemd ≥ 253 waits for ever; older ones ignore it.
                self._send(["RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1_000_000)}"])
            case "reload_ended" if self._is_ready:
                self._send(["READY=1"])
            case "supervisor_draining":
                self._is_draining = True
                self._send(["STOPPING=1", "STATUS=draining: running jobs may end"])

    def _send(self, lines: list[str]) -> None:
        if self._socket is None or not lines:
            return
        try:
            self._socket.send("\n".join(lines).encode())
        except OSError:
            # systemd restarts itself or is busy. What matters is said again: the watchdog with the next tick.
            self._status = ""


def are_pools_ready(snapshot: Snapshot) -> bool:
    """Tell whether the database is there and every pool has the replicas that it should have.

    A pool that keeps dying does not hold up the others; keys that do not work neither (STATUS says so): a
    restart would heal neither. But nothing is ready when no replica is.
    """
    pools = [pool for pool in snapshot.pools.workers.values() if pool.desired_replicas]
    settled = all(p.effective_replicas >= p.desired_replicas or p.degraded or p.refused for p in pools)
    is_any = not pools or any(pool.effective_replicas for pool in pools)
    return snapshot.database.state == "ready" and settled and is_any and len(snapshot.pools.workers) > 0


def status_line(snapshot: Snapshot) -> str:
    """Return the live summary in one line."""
    pools = snapshot.pools.workers.values()
    per_s = sum(snapshot.measurements.per_s(worker) for worker in snapshot.config.workers)
    waiting = sum(sum(snapshot.waiting(worker)) for worker in snapshot.config.workers)
    ready, desired = sum(p.effective_replicas for p in pools), sum(p.desired_replicas for p in pools)
    usable = sum(key.state == "ok" for key in snapshot.limiter.keys)
    parts = [
        f"{per_s:.1f} jobs/s, {waiting:,} waiting",
        f"{ready} of {desired} replicas ready",
        f"{usable} of {len(snapshot.limiter.keys)} keys usable",
    ]
    if snapshot.database.state != "ready":
        parts.insert(0, f"the database is {snapshot.database.state} {snapshot.database.reason}".strip())
    if not snapshot.reload.ok:
        parts.insert(0, f"EDIT REFUSED: {snapshot.reload.errors[0]}")
    return printable(" ".join("; ".join(parts).split()))[:MAX_STATUS]


def _connect(address: str) -> socket.socket | None:
    if not address:
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        connection.connect(os.fsencode("\0" + address[1:] if address.startswith("@") else address))
    except OSError:
        connection.close()
        return None
    return connection
