"""Questions about jobs that exist: list, show, wait, retry, discard."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from supervisor.core.clock import Clock
from supervisor.core.errors import NotFoundError, RefusedError, UsageError
from supervisor.core.job import Priority
from supervisor.database.entries import priority_of
from supervisor.database.questions import Answer, Handler, Params, integer
from supervisor.database.reader import Reader, Row
from supervisor.database.statements import engine_sql
from supervisor.database.writer import Lane, Writer

PAGE = 100
MAX_PAGE = 1000
CHUNK = 250
WAIT_S = 30
MAX_WAIT_S = 600
LOOK_EVERY_S = 0.1

STATES = ("scheduled", "available", "executing", "retryable", "completed", "cancelled", "discarded")
FINISHED = ("completed", "cancelled", "discarded")
WAITING = ("scheduled", "available", "retryable")

_FILTERS = {
    "worker": "kind = :worker",
    "state": "state = :state",
    "outcome": "outcome = :outcome",
    "priority": "priority = :priority",
    "entity": "entity = :entity",
}
# The lease and the duplicate's text are the engine's own business.
_COLUMNS = """id, kind AS worker, entity, args, priority, state, run_at, attempt, crashes, suspect, merged, max_age_s,
    deadline_at, provenance, replica, outcome, note, error, requests, created_at, started_at, finished_at, again_id"""


class JobQuestions:
    """Handlers for jobs.*."""

    def __init__(self, writer: Writer, reader: Reader, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods of this part."""
        return {
            "jobs.list": self.list,
            "jobs.show": self.show,
            "jobs.wait": self.wait,
            "jobs.retry": self.retry,
            "jobs.discard": self.discard,
        }

    async def list(self, params: Params, body: bytes) -> Answer:
        """Return a page of jobs, newest first; next: pass it as `after` for the page behind, None = the end."""
        where, values = _where(params)
        limit = min(MAX_PAGE, integer(params, "limit", PAGE, at_most=10**9))
        values |= {"limit": limit, "after": integer(params, "after", 2**62)}
        sql = f"SELECT {_COLUMNS} FROM jobs WHERE id < :after AND {where} ORDER BY id DESC LIMIT :limit"
        rows = await self._reader.rows(sql, values)
        last = rows[-1]["id"] if rows and len(rows) == limit else None
        return Answer(body={"jobs": [_json(row) for row in rows], "next": last})

    async def show(self, params: Params, body: bytes) -> Answer:
        """Return one job."""
        return Answer(body=_json(await self._find(integer(params, "id"))))

    async def wait(self, params: Params, body: bytes) -> Answer:
        """Return the job when it has ended, or as it is after timeout_s, then with status 202.

        A job that was asked for again while it was executing has ended when that second run has.
        """
        job = integer(params, "id")
        timeout_s = min(MAX_WAIT_S, integer(params, "timeout_s", WAIT_S, at_most=10**9))
        deadline = self._clock.monotonic() + timeout_s
        is_second = False
        while True:
            row = await self._find(job)
            if row["state"] in FINISHED and (row["again_id"] is None or is_second):
                return Answer(body=_json(row))
            if row["state"] in FINISHED:
                job, is_second = row["again_id"], True
                continue
            if self._clock.monotonic() >= deadline:
                return Answer(body=_json(row), status=202)
            await self._clock.sleep_until(min(deadline, self._clock.monotonic() + LOOK_EVERY_S))

    async def retry(self, params: Params, body: bytes) -> Answer:
        """Make jobs available now, with a fresh budget: one by id, or by filters (default discarded)."""
        return await self._change(params, "retry_by_hand", ("discarded",), ("executing",))

    async def discard(self, params: Params, body: bytes) -> Answer:
        """Discard jobs that wait: one by id, or those that the filters name (at least one filter)."""
        if not any(params.get(name) for name in (*_FILTERS, "id")):
            raise UsageError(f"discard needs an id or one of {', '.join(_FILTERS)}")
        return await self._change(params, "discard_by_hand", WAITING, ("executing", *FINISHED))

    async def _change(self, params: Params, statement: str, default: Sequence[str], refused: Sequence[str]) -> Answer:
        if params.get("id"):
            return await self._change_one(integer(params, "id"), statement, refused)
        where, values = _where(params)
        if not params.get("state"):
            where += f" AND state IN ({', '.join(repr(state) for state in default)})"
        if params.get("dry_run", "").lower() in ("1", "true", "yes"):
            (row,) = await self._reader.rows(f"SELECT count(*) AS matched FROM jobs WHERE {where}", values)
            return Answer(body={"matched": row["matched"], "changed": 0})
        return await self._change_matching(where, values, statement)

    async def _change_one(self, job: int, statement: str, refused: Sequence[str]) -> Answer:
        row = await self._find(job)
        if row["state"] in refused:
            raise RefusedError(f"job {job} is {row['state']}")
        changed = await self._writer.do(partial(change, statement=statement, jobs=[job]))
        return Answer(body={"matched": 1, "changed": changed})

    async def _change_matching(self, where: str, values: dict[str, Any], statement: str) -> Answer:
        matched = changed = after = 0
        sql = f"SELECT id FROM jobs WHERE id > :after AND {where} ORDER BY id LIMIT :limit"
        while True:
            found = await self._reader.rows(sql, values | {"after": after, "limit": CHUNK})
            jobs = [row["id"] for row in found]
            if jobs:
                matched, after = matched + len(jobs), jobs[-1]
                changed += await self._writer.do(partial(change, statement=statement, jobs=jobs), Lane.BULK)
            if len(jobs) < CHUNK:
                return Answer(body={"matched": matched, "changed": changed})

    async def _find(self, job: int) -> Row:
        rows = await self._reader.rows(f"SELECT {_COLUMNS} FROM jobs WHERE id = :id", {"id": job})
        if not rows:
            raise NotFoundError(f"no job {job}; finished jobs are forgotten after retention.jobs_completed")
        return rows[0]


def change(connection: sqlite3.Connection, now: float, *, statement: str, jobs: Sequence[int]) -> int:
    """Run a statement of questions.sql for each job; return how many changed."""
    return connection.executemany(engine_sql(statement), [{"job": job, "now": now} for job in jobs]).rowcount


def _where(params: Params) -> tuple[str, dict[str, Any]]:
    """Return the filters as SQL and its values. UsageError for a state or priority that does not exist."""
    named = {name: params[name] for name in _FILTERS if params.get(name)}
    values: dict[str, Any] = dict(named)
    if named.get("state", STATES[0]) not in STATES:
        raise UsageError(f"state {named['state'][:40]!r}: expected one of {', '.join(STATES)}")
    if "priority" in named:
        values["priority"] = int(priority_of(named["priority"]))
    return " AND ".join(["1", *(_FILTERS[name] for name in named)]), values


def _json(row: Row) -> Row:
    return row | {
        "args": msgspec.json.decode(row["args"]),
        "priority": Priority(row["priority"]).name.lower(),
        "suspect": bool(row["suspect"]),
    }
