"""The database's rules for job packages, in one small file: migrations, statements, parameters.

Stands in for the database process in tests of jobs. It follows the package conventions: numbered
migrations, blocks headed `-- name: identifier`, one run of a block per row, and the parameters that
always exist (:now, :job, :entity, :worker, :lease and the entity's parts). It is stricter where two
readings are possible: a row may not name a parameter that always exists, and holds scalars only.
"""

import re
import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from supervisor.core import entity as entities
from supervisor.worker.sdk import ClaimedJob, Effect, NewJob, Outcome

PACKAGE = Path(__file__).parents[2] / "jobs"
FAR_FUTURE = 1e12


class Harness:
    """A gatherer.db with an attached market.db in `folder`, and the package's statements.

    now: wall seconds of the next finish; a test moves it. Finished follow-ups gather in `enqueued`.
    """

    def __init__(self, folder: Path, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.enqueued: list[NewJob] = []
        self.manifest = tomllib.loads((PACKAGE / "manifest.toml").read_text())
        self.statements = dict(_statements(PACKAGE / "statements"))
        self.db = sqlite3.connect(folder / "gatherer.db", isolation_level=None)
        self.db.row_factory = sqlite3.Row
        # Nothing here survives a crash of the test, and fsync is most of the time.
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.execute("ATTACH DATABASE ? AS market", (str(folder / "market.db"),))
        self.db.execute("PRAGMA market.synchronous = OFF")
        self._migrate(PACKAGE / "migrations", self.db)
        market = sqlite3.connect(folder / "market.db", isolation_level=None)
        self._migrate(PACKAGE / "migrations" / "market", market)
        market.close()
        self._last = 0

    def close(self) -> None:
        """Close the files."""
        self.db.close()

    def claim(self, worker: str, entity: str, **fields: Any) -> ClaimedJob:
        """Return a job under a new lease, its context read as the database reads it."""
        self._last += 1
        canonical = entities.canonical(self.pattern(worker), entity)
        job = ClaimedJob(
            id=fields.pop("id", self._last),
            lease=self._last,
            worker=worker,
            entity=canonical,
            parts=entities.split(self.pattern(worker), canonical),
            **fields,
        )
        context = (
            self.query(f"{worker}_context", self.parameters(job)) if f"{worker}_context" in self.statements else []
        )
        assert len(context) <= 1, f"{worker}_context returned {len(context)} rows"
        return msgspec.structs.replace(job, context=dict(*context))

    def finish(self, job: ClaimedJob, outcome: Outcome) -> None:
        """Commit the outcome's rows and follow-ups in one transaction, at `now`."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for effect in outcome.effects:
                self.apply(job, effect)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        self.enqueued += outcome.follow_ups

    def apply(self, job: ClaimedJob, effect: Effect) -> None:
        """Run the effect's statement once per row, with the parameters that always exist."""
        always = self.parameters(job)
        for row in effect.rows:
            assert not row.keys() & always.keys(), f"{effect.statement}: row names {row.keys() & always.keys()}"
            for name, value in row.items():
                assert value is None or isinstance(value, int | float | str | bytes), f"{effect.statement}: {name}"
            for sql in self.statements[effect.statement]:
                self.db.execute(sql, always | row)

    def query(self, statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Run a statement that reads; only its last part may return rows."""
        rows: list[sqlite3.Row] = []
        for sql in self.statements[statement]:
            rows = self.db.execute(sql, parameters).fetchall()
        return [dict(row) for row in rows]

    def stale(self, worker: str, **parameters: float) -> list[str]:
        """Return the entities that `<worker>_stale` gives: by default everything is due."""
        given = {"now": self.now, "seen_after": 0.0, "seen_before": FAR_FUTURE, "due_before": self.now, "limit": 100}
        return [str(row["entity"]) for row in self.query(f"{worker}_stale", given | parameters)]

    def show(self, worker: str, entity: str, what: str = "show") -> list[dict[str, Any]]:
        """Return the rows of `<worker>_show`, or of `<worker>_show_…`."""
        return self.query(f"{worker}_{what}", self.parameters(self.claim(worker, entity)))

    def retain(self, name: str, before: float, turn: int = 0) -> None:
        """Run one turn of `<name>_retention`."""
        for sql in self.statements[f"{name}_retention"]:
            self.db.execute(sql, {"now": self.now, "before": before, "turn": turn})

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Look into the tables."""
        return [tuple(row) for row in self.db.execute(sql, parameters)]

    def row(self, sql: str, *parameters: Any) -> dict[str, Any]:
        """Return the one row that `sql` finds."""
        (row,) = self.db.execute(sql, parameters).fetchall()
        return dict(row)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table, to compare two moments."""
        tables = self.rows("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        market = self.rows("SELECT 'market.' || name FROM market.sqlite_master WHERE type = 'table'")
        return {name: sorted(self.rows(f"SELECT * FROM {name}"), key=repr) for (name,) in tables + market}

    def pattern(self, worker: str) -> str:
        """Return the worker's entity pattern."""
        return str(self.manifest[worker]["entity"])

    def parameters(self, job: ClaimedJob) -> dict[str, Any]:
        """Return the parameters that always exist."""
        always = {"now": self.now, "job": job.id, "entity": job.entity, "worker": job.worker, "lease": job.lease}
        return always | job.parts

    @staticmethod
    def _migrate(folder: Path, db: sqlite3.Connection) -> None:
        for file in sorted(folder.glob("[0-9]*.sql")):
            db.executescript(file.read_text())


def _statements(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each named block of the folder's files, cut into its statements."""
    for file in sorted(folder.glob("*.sql")):
        _, *blocks = re.split(r"^-- name: (\w+)\s*$", file.read_text(), flags=re.MULTILINE)
        for name, text in zip(blocks[::2], blocks[1::2], strict=True):
            yield name, list(_cut(text))


def _cut(text: str) -> Iterator[str]:
    """Cut at the semicolons that end a statement (not those in strings, comments and triggers)."""
    piece = ""
    for part in re.split(r"(?<=;)", text):
        piece += part
        if sqlite3.complete_statement(piece):
            yield piece.strip()
            piece = ""
    assert not re.sub(r"--.*", "", piece).strip(), f"unfinished statement: {piece!r}"
