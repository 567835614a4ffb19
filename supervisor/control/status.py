"""The status as JSON: what GET /workers answers and `gatherer status` draws.

    {"workers": {NAME: {"desired": {"concurrency", "replicas"}, "effective": {the same}, "limited_by", "entity",
                        "queue": {state: jobs}, "waiting": {priority: jobs}, "executing", "per_s", …}},
     "keys": [{"name", "state", "reason", "windows": [{"used", "limit", "per_s", "left", "frees_in_s"}],
               "last_error", "last_error_at", …}],
     "hosts": [{"host", "api", "state": "up" or "down", "down_since", "why", "next_probe_in_s"}],
     "config": {"generation", "path", "last_reload": {"ok", "at", "errors", "changes"},
                "needs_restart", "warnings", "pinned"},
     "database": {…}, "memory_pss_bytes": {role: bytes}, "pid", "uptime_s", "now", "ready", "reasons_not_ready"}

Concurrency is of each replica; desired: as configured, a number or "auto". "autoscale" (None = not for this worker)
says why the effective one differs: {"concurrency", "written", "min", "max", "who", "why", "since", "note" (why it
does not move now), "alerts", "moves"}. Nothing in here is a secret.
"""

from dataclasses import asdict
from typing import Any

from supervisor.control.limits import limited_by
from supervisor.control.measurements import FAILED, SUCCEEDED, Totals
from supervisor.control.patterns import entity_pattern
from supervisor.control.snapshot import Snapshot
from supervisor.core.messages.supervisor_database import Pulse
from supervisor.limiter.hosts import HostStatistics
from supervisor.limiter.statistics import KeyStatistics

PRIORITIES = ("urgent", "normal", "background")


def status_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return the whole status."""
    return {
        "workers": {name: _worker(snapshot, name) for name in snapshot.config.workers},
        "keys": [_key(key, snapshot.now) for key in snapshot.limiter.keys],
        "hosts": [_host(host, snapshot.now) for host in snapshot.limiter.hosts],
        "config": _config(snapshot),
        "database": _database(snapshot),
        "memory_pss_bytes": snapshot.memory_by_role(),
        "pid": snapshot.pid,
        "now": snapshot.now,
        "uptime_s": round(max(0.0, snapshot.now - snapshot.started_at), 1),
        "ready": not snapshot.reasons_not_ready,
        "reasons_not_ready": snapshot.reasons_not_ready,
    }


def _worker(snapshot: Snapshot, name: str) -> dict[str, Any]:
    settings = snapshot.config.workers[name]
    counts = snapshot.counts(name)
    minute = snapshot.measurements.last_minute(name)
    return _pool(snapshot, name) | {
        "tag": settings.tag,
        "entity": entity_pattern(settings.job, settings.path),
        "limited_by": limited_by(snapshot, name),
        "queue": {state: sum(by_priority) for state, by_priority in counts.items()},
        "waiting": dict(zip(PRIORITIES, snapshot.waiting(name), strict=True)),
        "oldest_waiting_s": _oldest_s(snapshot, name),
        "executing": sum(counts.get("executing", ())),
        "per_s": round(snapshot.measurements.per_s(name), 3),
        "target_per_s": settings.target_per_s,
        "known": _known(snapshot, name),
        "fresh_ratio": snapshot.fresh_ratio(name),
        "purge_brake_since": _braked_since(snapshot, name),
        "last_minute": {
            "succeeded": sum(minute[outcome] for outcome in SUCCEEDED),
            "failed": sum(minute[outcome] for outcome in FAILED),
            "outcomes": dict(minute),
            "problem": snapshot.measurements.problem(name),
        },
        "since_start": _totals(snapshot.measurements.totals.get(name, Totals())) | _requests(snapshot, name),
        "autoscale": _autoscale(snapshot, name),
    }


def _autoscale(snapshot: Snapshot, name: str) -> dict[str, Any] | None:
    """Return why concurrency is what it is, None where nothing but the file moves it."""
    moved = snapshot.autoscale.get(name)
    return None if moved is None else asdict(moved)


def _pool(snapshot: Snapshot, name: str) -> dict[str, Any]:
    settings = snapshot.config.workers[name]
    pool = snapshot.pools.workers.get(name)
    moved = snapshot.autoscale.get(name)
    desired = {
        "concurrency": settings.concurrency if moved is None else moved.written,
        "replicas": settings.replicas,
    }
    if pool is None:  # configured a moment ago
        return {"desired": desired, "effective": {"concurrency": 0, "replicas": 0}, "paused": settings.paused}
    return {
        "desired": desired,
        "effective": {"concurrency": pool.effective_concurrency, "replicas": pool.effective_replicas},
        "paused": pool.paused,
        "replicas": {
            replica.name: {"pid": replica.pid, "state": replica.state, "executing": replica.executing}
            for replica in pool.replicas
        },
        "restarts": pool.restarts,
        "degraded": pool.degraded,
        "last_exit": pool.last_exit,
        "braked": {
            brake.endpoint: {"for_s": round(brake.for_s, 1), "next_probe_in_s": round(brake.next_probe_in_s, 1)}
            for brake in pool.braked
        },
    }


def _totals(totals: Totals) -> dict[str, Any]:
    job_s = totals.job_s.statistics()
    return {
        "outcomes": dict(totals.outcomes),
        "requests_saved": totals.saved,
        "requests_repeated": totals.retried,
        "job_seconds": {"sum": round(job_s.sum, 3), "count": job_s.count},
    }


def _requests(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """What a job's requests took since the start; permit_wait_seconds: of started jobs."""
    permits = snapshot.limiter.workers.get(name)
    if permits is None:
        return {}
    parts = {"round_trip_seconds": permits.round_trips, "permit_wait_seconds": permits.request_waits}
    return {part: {"sum": round(found.sum, 3), "count": found.count} for part, found in parts.items()}


def _oldest_s(snapshot: Snapshot, name: str) -> float | None:
    pulse = snapshot.database.pulse
    return None if pulse is None else pulse.oldest_s.get(name)


def _key(key: KeyStatistics, now: float) -> dict[str, Any]:
    return {
        "name": key.name,
        "api": key.api,
        "tags": list(key.tags),
        "state": key.state,
        "reason": key.reason,
        "windows": [
            {
                "used": window.used,
                "limit": window.limit,
                "per_s": window.per_s,
                "left": window.left,
                "frees_in_s": round(window.frees_in_s, 3),
            }
            for window in key.windows
        ],
        "in_flight": key.in_flight,
        "parked_for_s": round(key.parked_for_s, 3),
        "last_error": key.last_error,
        "last_error_at": now - key.last_error_ago_s if key.last_error else None,
        "granted": key.granted,
        "statuses": {worker: dict(statuses) for worker, statuses in key.statuses.items()},
    }


def _host(host: HostStatistics, now: float) -> dict[str, Any]:
    return {
        "host": host.host,
        "api": host.api,
        "state": "down" if host.is_down else "up",
        "down_since": now - host.down_for_s if host.is_down else None,
        "failed": host.failed,
        "of": host.of,
        "why": host.why,
        "next_probe_in_s": round(host.next_probe_in_s, 1),
    }


def _known(snapshot: Snapshot, name: str) -> int | None:
    census = snapshot.database.census
    counted = census.kinds.get(name) if census is not None else None
    return None if counted is None else sum(counted.by_age)


def _braked_since(snapshot: Snapshot, name: str) -> float | None:
    census = snapshot.database.census
    return None if census is None else census.brakes.get(name)


def _config(snapshot: Snapshot) -> dict[str, Any]:
    config, reload = snapshot.config, snapshot.reload
    return {
        "generation": snapshot.generation,
        "path": str(config.path) if config.path else None,
        "last_reload": {
            "ok": reload.ok,
            "at": reload.at,
            "errors": list(reload.errors),
            "changes": list(reload.changes),
        },
        "needs_restart": list(snapshot.needs_restart),
        "warnings": list(config.warnings),
        "pinned": dict(config.pinned),
    }


def _database(snapshot: Snapshot) -> dict[str, Any]:
    database, pulse = snapshot.database, snapshot.database.pulse
    return {
        "state": database.state,
        "reason": database.reason,
        "pid": database.pid,
        "restarts": database.restarts,
        "commit_p99_s": None if pulse is None else pulse.commit_p99_s,
        "backlog": None if pulse is None else pulse.queued,
        "transactions": None if pulse is None else pulse.transactions,
        "trouble": "" if pulse is None else pulse.trouble,
        "disk": None if pulse is None else _disk(pulse),
    }


def _disk(pulse: Pulse) -> dict[str, Any]:
    return {
        "free_bytes": pulse.free_bytes,
        "min_free_bytes": pulse.min_free_bytes,
        "bulk_stopped": pulse.bulk_stopped,
        "background_stopped": pulse.background_stopped,
    }
