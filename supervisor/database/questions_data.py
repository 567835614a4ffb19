"""Questions about what is stored: queues, one entity, whole tables in pages, how the database is."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from supervisor.core.clock import Clock
from supervisor.core.errors import NotFoundError, UsageError
from supervisor.database.questions import Answer, Handler, Params, integer
from supervisor.database.reader import Reader, Row
from supervisor.database.waiting import Counts
from supervisor.database.workers import Workers, WorkerSpec

PAGE = 500
MAX_PAGE = 5000

# Tables that are the engine's own bookkeeping and no result.
_HIDDEN = {"engine", "job_counts", "migrations", "staged_jobs", "batches"}


class DataQuestions:
    """Handlers for queues, show, export and statistics."""

    def __init__(
        self, *, reader: Reader, workers: Workers, counts: Counts, clock: Clock, statistics: Callable[[], Row]
    ) -> None:
        self._reader = reader
        self._workers = workers
        self._counts = counts
        self._clock = clock
        self._statistics = statistics

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods of this part."""
        return {"queues": self.queues, "show": self.show, "export": self.export, "statistics": self.statistics}

    async def queues(self, params: Params, body: bytes) -> Answer:
        """Return {"queues": {worker: {"counts": {state: n}, "by_priority": {state: [urgent, normal, background]}}}}."""
        by_worker: dict[str, dict[str, list[int]]] = {
            name: {} for name in self._workers.configured
        } | self._counts.by_worker()
        queues = {
            worker: {"counts": {state: sum(n) for state, n in states.items()}, "by_priority": states}
            for worker, states in by_worker.items()
        }
        return Answer(body={"queues": queues})

    async def statistics(self, params: Params, body: bytes) -> Answer:
        """Return how the database is."""
        return Answer(body=self._statistics())

    async def show(self, params: Params, body: bytes) -> Answer:
        """Return what is known of an entity: from the first worker whose pattern fits it and that has a row."""
        text = params.get("entity", "")
        named = params.get("worker")
        specs = [self._workers.find(named)] if named else list(self._workers.configured.values())
        problems: list[str] = []
        for spec in specs:
            try:
                entity = spec.canonical(text, region=self._workers.region, regions=self._workers.regions)
            except UsageError as error:
                problems.append(f"{spec.name}: {error}")
                continue
            rows = await self._rows_of(spec, entity)
            if any(rows.values()):
                return Answer(body={"worker": spec.name, "entity": entity, "rows": rows})
        if len(problems) == len(specs):
            raise UsageError("; ".join(problems))
        raise NotFoundError(f"nothing is stored about {text[:200]!r}")

    async def _rows_of(self, spec: WorkerSpec, entity: str) -> dict[str, list[Row]]:
        """Return the rows of `<kind>_show` and of each `<kind>_show_…`, by statement."""
        statements = spec.package.statements if spec.package else {}
        names = [n for n in sorted(statements) if n == f"{spec.kind}_show" or n.startswith(f"{spec.kind}_show_")]
        own = {"now": self._clock.wall(), "job": 0, "lease": 0, "entity": entity, "worker": spec.name}
        row = own | spec.parts(entity)
        return {name: await self._reader.rows(statements[name].parts[-1], row) for name in names}

    async def export(self, params: Params, body: bytes) -> Answer:
        """Return a page of a table, in order of its key; next: pass it as `after`, None = the end.

        total: rows of the whole table, on the first page only.
        """
        table = params.get("table", "")
        schema = await self._schema_of(table)
        key = await self._key_of(schema, table)
        limit = max(1, min(MAX_PAGE, integer(params, "limit", PAGE, at_most=10**9)))
        after = _cursor(params.get("after", ""), len(key))
        names = ", ".join(key)
        where = f"WHERE ({names}) > ({', '.join('?' for _ in key)})" if after else ""
        columns, rows = await self._reader.table(
            f'SELECT {names}, * FROM {schema}."{table}" {where} ORDER BY {names} LIMIT ?', [*after, limit]
        )
        last = msgspec.json.encode(rows[-1][: len(key)]).decode() if len(rows) == limit else None
        values = [row[len(key) :] for row in rows]
        page = {"columns": columns[len(key) :], "rows": values, "next": last}
        return Answer(body=page if after else page | {"total": await self._size_of(schema, table)})

    async def _size_of(self, schema: str, table: str) -> int:
        (row,) = await self._reader.rows(f'SELECT count(*) AS total FROM {schema}."{table}"')
        return int(row["total"])

    async def _schema_of(self, table: str) -> str:
        known = await self._reader.rows(
            "SELECT 'main' AS schema, name FROM main.sqlite_master WHERE type = 'table'"
            " UNION ALL SELECT 'market', name FROM market.sqlite_master WHERE type = 'table'"
        )
        found = {
            r["name"]: r["schema"] for r in known if r["name"] not in _HIDDEN and not r["name"].startswith("sqlite_")
        }
        if table not in found:
            raise UsageError(f"no table {table[:80]!r}; there are {', '.join(sorted(found))}")
        return str(found[table])

    async def _key_of(self, schema: str, table: str) -> list[str]:
        """Return the columns that order the table: its primary key without a rowid, otherwise the rowid."""
        try:
            await self._reader.table(f'SELECT rowid FROM {schema}."{table}" LIMIT 0')
        except sqlite3.OperationalError:
            info = await self._reader.rows(f'PRAGMA {schema}.table_info("{table}")')
            return [f'"{column["name"]}"' for column in sorted(info, key=lambda c: int(c["pk"])) if column["pk"]]
        return ["rowid"]


def _cursor(text: str, length: int) -> list[Any]:
    if not text:
        return []
    try:
        values = msgspec.json.decode(text, type=list[Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(f"after: expected the `next` of the page before: {error}") from error
    if len(values) != length:
        raise UsageError(f"after: expected {length} values, got {len(values)}")
    return values
