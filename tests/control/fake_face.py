"""A whole program in memory behind the control API: jobs, batches, workers, keys. No processes, no database."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from supervisor.control.scale import Scaled, ScaleRequest, Size
from supervisor.core.errors import GathererError, NotFoundError, RefusedError, UnavailableError
from supervisor.pools.alerts import Alert, AlertAnswer

WORKERS = ("characters", "guilds", "items")
PATTERNS = {"characters": "region/realm/name", "guilds": "region/realm/guild:name", "items": "region/number:item"}


class FakeFace:
    """Keeps what it is told; `asked` has every question. `ends` gives the outcome of a job by entity."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.jobs: dict[int, dict[str, Any]] = {}
        self.newest: dict[tuple[str, str], dict[str, Any]] = {}
        self.batches: dict[int, list[dict[str, Any]]] = {}
        self.ends: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, tuple[list[str], list[list[Any]]]] = {}
        self.entities: dict[str, dict[str, Any]] = {}
        self.reasons: list[str] = []
        self.paused: set[str] = set()
        self.disabled: set[str] = set()
        self.unlocked: list[str] = []
        self.since_start: dict[str, dict[str, Any]] = {}
        self.hosts: list[dict[str, Any]] = []
        self.is_away = False
        self.alerts: list[Alert] = []
        self.scaled: list[ScaleRequest] = []
        self.refusal: GathererError | None = None
        self.in_force = True

    def status(self) -> dict[str, Any]:
        return {
            "workers": {name: self._worker(name) for name in WORKERS},
            "keys": [
                {
                    "name": "osint-1",
                    "tags": ["osint"],
                    "state": "disabled" if "osint-1" in self.disabled else "ok",
                    "reason": "",
                    "windows": [
                        {"used": 40, "limit": 100, "per_s": 1.0},
                        {"used": 9000, "limit": 36000, "per_s": 3600.0},
                    ],
                    "in_flight": 3,
                    "granted": 9000,
                    "last_error": "HTTP 429 to characters",
                    "last_error_at": 40.0,
                }
            ],
            "config": {
                "generation": 2,
                "path": "config.toml",
                "last_reload": {
                    "ok": False,
                    "at": 90.0,
                    "errors": ["config.toml:7: workers.items.replicas: expected …"],
                },
                "pinned": {"workers.items.concurrency": "ITEMS_WORKER_CONCURRENCY"},
            },
            "hosts": self.hosts,
            "pid": 4711,
            "now": 100.0,
            "uptime_s": 90.0,
            "reasons_not_ready": self.reasons,
        }

    def _worker(self, name: str) -> dict[str, Any]:
        return {
            "entity": PATTERNS[name],
            "desired": {"concurrency": 2, "replicas": 5},
            "effective": {"concurrency": 2, "replicas": 4},
            "limited_by": "paused" if name in self.paused else "hour",
            "queue": {"available": 1204, "scheduled": 20, "retryable": 11},
            "waiting": {"urgent": 0, "normal": 4, "background": 1200},
            "executing": 10,
            "per_s": 18.25,
            "target_per_s": 50,
            "last_minute": {"succeeded": 1090, "failed": 5},
            "since_start": self.since_start.get(name, {"outcomes": {}}),
        }

    def reasons_not_ready(self) -> list[str]:
        return self.reasons

    async def verify_keys(self, name: str | None) -> list[dict[str, Any]]:
        if name not in (None, "osint-1", "broken"):
            raise RefusedError(f"no key {name!r}")
        return [{"name": name or "osint-1", "ok": name != "broken", "detail": "401" if name == "broken" else ""}]

    async def set_disabled(self, key: str, disabled: bool) -> dict[str, Any]:
        (self.disabled.add if disabled else self.disabled.discard)(key)
        return self._key(key)

    async def unlock_key(self, key: str) -> dict[str, Any]:
        self.unlocked.append(key)
        return self._key(key)

    def _key(self, name: str) -> dict[str, Any]:
        for key in self.status()["keys"]:
            if key["name"] == name:
                return dict(key)
        raise RefusedError(f"no key {name!r}")

    def take_alerts(self, alerts: Iterable[Alert]) -> list[AlertAnswer]:
        self.alerts += (taken := list(alerts))
        return [AlertAnswer(alert=alert, action="moved", why="room", before=3, after=4) for alert in taken]

    async def scale(self, asked: ScaleRequest) -> Scaled:
        if asked.worker not in WORKERS:
            raise NotFoundError(f"no worker {asked.worker!r}")
        if self.refusal:
            raise self.refusal
        self.scaled.append(asked)
        size = Size(concurrency=3, replicas=8)
        return Scaled(
            worker=asked.worker, desired=size, effective=size, took_ms=7, in_force=self.in_force,
            changed={"replicas": 8}, kept_in=["config.toml"], warnings=[] if self.in_force else ["5 of 8 are ready"],
        )  # fmt: skip  # as a table

    async def set_paused(self, worker: str, paused: bool) -> tuple[int, dict[str, Any]]:
        if worker not in WORKERS:
            return 404, {"title": "Not Found", "status": 404, "detail": f"no worker {worker!r}"}
        (self.paused.add if paused else self.paused.discard)(worker)
        return 200, {"worker": worker, "paused": paused}

    async def restart(self, worker: str) -> tuple[int, dict[str, Any]]:
        return 202, {"worker": worker}

    async def ask(
        self, method: str, params: dict[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> tuple[int, bytes]:
        self.asked.append((method, params, body))
        if self.is_away:
            raise UnavailableError("the database restarts")
        name = "_" + method.replace(".", "_")
        status, answer = getattr(self, name)(params, json.loads(body) if body else {})
        await asyncio.sleep(0)
        return status, json.dumps(answer).encode()

    def _enqueue(self, params: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        jobs = body.get("jobs", [body])
        if errors := self._errors(jobs):
            return _problem(422, errors[0]["reason"], errors=errors)
        added = [self._add(job) for job in jobs]
        merged = sum(job["merged"] for job in added)
        return 202, {"accepted": len(added), "new": len(added) - merged, "merged": merged, "jobs": added}

    def _errors(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        errors = []
        for place, job in enumerate(jobs, 1):
            pattern = PATTERNS.get(job["worker"])
            parts = 0 if pattern is None else len(pattern.split("/"))
            if not parts:
                errors.append({"line": job.get("line", place), "reason": f"unknown worker {job['worker']}"})
            elif len(job["entity"].split("/")) not in (parts, parts - 1):  # the region may be left out
                errors.append({"line": job.get("line", place), "reason": f"entity {job['entity']!r}: {parts} parts"})
        return errors

    def _add(self, job: dict[str, Any]) -> dict[str, Any]:
        old = self.newest.get((job["worker"], job["entity"]))
        if old is not None and old["state"] == "available":
            return {**old, "merged": True}
        number = len(self.jobs) + 1
        self.jobs[number] = {"id": number, "priority": "normal", "created_at": 50.0} | job | {"state": "available"}
        self.newest[job["worker"], job["entity"]] = self.jobs[number]
        return {**self.jobs[number], "merged": False}

    def _batch_open(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        number = len(self.batches) + 1
        self.batches[number] = []
        return 201, {"batch": number}

    def _batch_append(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        if errors := self._errors(body["jobs"]):
            return _problem(422, "bad lines", errors=errors[:20])
        self.batches[int(params["batch"])] += body["jobs"]
        return 200, {"staged": len(body["jobs"])}

    def _batch_accept(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        for job in self.batches.pop(int(params["batch"])):
            self._add(job)
        return 200, {"state": "accepted"}

    def _batch_abort(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        self.batches.pop(int(params["batch"]))
        return 200, {"state": "aborted"}

    def _jobs_list(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        after, limit = int(params.get("after", 2**62)), int(params.get("limit", 100))
        found = sorted((job for job in self._matching(params) if job["id"] < after), key=lambda job: -job["id"])[:limit]
        return 200, {"jobs": found, "next": found[-1]["id"] if len(found) == limit else None}

    def _matching(self, params: dict[str, str]) -> list[dict[str, Any]]:
        names = ("worker", "state", "priority", "entity")
        return [job for job in self.jobs.values() if all(params.get(n) in (None, job[n]) for n in names)]

    def _jobs_show(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        job = self.jobs.get(int(params["id"]))
        return (200, job) if job else _problem(404, f"no job {params['id']}")

    def _jobs_wait(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        job = self.jobs[int(params["id"])]
        if job["entity"] not in self.ends:
            return 202, job
        return 200, job | {"state": "completed", "outcome": "done"} | self.ends[job["entity"]]

    def _change(self, params: dict[str, str], state: str) -> tuple[int, Any]:
        found = [self.jobs[int(params["id"])]] if "id" in params else self._matching(params)
        if "dry_run" in params:
            return 200, {"matched": len(found), "changed": 0}
        for job in found:
            job["state"] = state
        return 200, {"matched": len(found), "changed": len(found)}

    def _jobs_retry(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        return self._change(params, "available")

    def _jobs_discard(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        return self._change(params, "discarded")

    def _queues(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, {"queues": {}}

    def _statistics(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, {}

    def _show(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        found = self.entities.get(params["entity"])
        return (200, found) if found else _problem(404, f"nothing is stored about {params['entity']!r}")

    def _export(self, params: dict[str, str], body: Any) -> tuple[int, Any]:
        if params["table"] not in self.tables:
            return _problem(422, f"no table {params['table']!r}; there are {', '.join(self.tables)}")
        columns, rows = self.tables[params["table"]]
        first, limit = int(params.get("after", "0")), int(params["limit"])
        last = first + limit
        return 200, {"columns": columns, "rows": rows[first:last], "next": str(last) if last < len(rows) else None}


def _problem(status: int, detail: str, **more: Any) -> tuple[int, Any]:
    return status, {"title": "problem", "status": status, "detail": detail, **more}
