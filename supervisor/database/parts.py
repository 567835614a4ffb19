"""All parts of the open database, wired to each other: who tells whom, and which loops run."""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from supervisor.core.clock import Clock
from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.core.messages.base import Message
from supervisor.core.messages.supervisor_database import DatabaseSettings
from supervisor.database.census import CensusTaker
from supervisor.database.claiming import Claiming
from supervisor.database.disk import DiskWatch
from supervisor.database.exits import Exits
from supervisor.database.failures import describe
from supervisor.database.freshness import Refiller
from supervisor.database.leases import Leases
from supervisor.database.loops import Bell, Note
from supervisor.database.promotion import Promoter
from supervisor.database.pulse import Pulser
from supervisor.database.questions import Answers
from supervisor.database.questions_backup import BackupQuestions
from supervisor.database.questions_data import DataQuestions
from supervisor.database.questions_enqueue import Enqueueing
from supervisor.database.questions_jobs import JobQuestions
from supervisor.database.reader import Reader
from supervisor.database.rescue import Rescuer
from supervisor.database.retention import Keeper
from supervisor.database.schedules import Scheduler
from supervisor.database.sessions import Desk
from supervisor.database.staging import Mover
from supervisor.database.statements import engine_sql
from supervisor.database.trouble import Trouble
from supervisor.database.waiting import Counts, WaitingTeller
from supervisor.database.workers import Workers
from supervisor.database.writer import Writer

_COUNTS = engine_sql("counts")
_NEXT_DUE = engine_sql("next_due")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the writer looks at after each group. next_due: earliest run_at of what is not yet available."""

    counts: list[tuple[str, str, int, int]]
    next_due: float | None


def look(connection: sqlite3.Connection) -> Seen:
    """Read what all of the process wants to know after each commit."""
    due = connection.execute(_NEXT_DUE).fetchone()
    return Seen(counts=connection.execute(_COUNTS).fetchall(), next_due=due[0] if due else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One background loop."""

    name: str
    run_once: Callable[[], Awaitable[float]]
    bell: Bell


class Parts:
    """The parts over one writing connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        state_dir: Path,
        clock: Clock,
        random: Random,
        send: Callable[[Message], None],
        note: Note,
        damaged: Callable[[ConfigurationError], None],
    ) -> None:
        self._note = note
        self._moving = Bell()
        self._promoting = Bell()
        self._settings_changed = [Bell() for _ in range(4)]
        self.workers = Workers()
        self.counts = Counts()
        self.leases = Leases()
        self.claiming = Claiming()
        self.writer = Writer(connection, clock=clock, look=look, committed=self._committed, failed=self._failed)
        # Two readers, so that a scan for stale entities never stands between a person and an answer.
        self.reader, self.stale_reader = Reader(state_dir), Reader(state_dir)
        self.disk = DiskWatch(state_dir, clock, note, changed=self._ring_loops)
        self.trouble = Trouble(state_dir, clock, note, damaged)
        self.waiting = WaitingTeller(
            self.counts, lambda: self.workers.configured, clock, send,
            has_room=lambda worker: self.desk.has_room(worker),
        )  # fmt: skip  # one line a name would be a page
        self.desk = Desk(
            writer=self.writer, claiming=self.claiming, workers=self.workers, leases=self.leases, disk=self.disk,
            trouble=self.trouble, clock=clock, random=random, nudge=self.waiting.nudge,
            batch_accepted=self._moving.ring, note=note,
        )  # fmt: skip  # as above
        self.promoter = Promoter(self.writer, clock)
        self.scheduler = Scheduler(self.writer, self.workers, self.disk, clock, note)
        self.refiller = Refiller(
            writer=self.writer, reader=self.stale_reader, workers=self.workers, counts=self.counts, disk=self.disk,
            clock=clock, note=note,
        )  # fmt: skip  # as above
        self.keeper = Keeper(self.writer, self.workers, clock, note)
        self.mover = Mover(self.writer, clock)
        self.rescuer = Rescuer(self.writer, self.leases, clock, note)
        self.pulser = Pulser(
            writer=self.writer, workers=self.workers, counts=self.counts, disk=self.disk, trouble=self.trouble,
            desk=self.desk, clock=clock, send=send, note=note,
        )  # fmt: skip  # as above
        self.census = CensusTaker(reader=self.stale_reader, workers=self.workers, clock=clock, send=send, note=note)
        self.exits = Exits(self.writer, self.leases, self.claiming, clock, note)
        self.answers = Answers(self._handlers(state_dir, clock), send, note, self.trouble.failed)

    def loops(self) -> list[Loop]:
        """Return the background loops; the one of `waiting` has its own shape."""
        schedules, freshness, retention, census = self._settings_changed
        return [
            Loop(name="pulse", run_once=self.pulser.run_once, bell=Bell()),
            Loop(name="promotion", run_once=self.promoter.run_once, bell=self._promoting),
            Loop(name="staging", run_once=self.mover.run_once, bell=self._moving),
            Loop(name="rescue", run_once=self.rescuer.run_once, bell=Bell()),
            Loop(name="disk", run_once=self.disk.run_once, bell=Bell()),
            Loop(name="trouble", run_once=self.trouble.run_once, bell=Bell()),
            Loop(name="exits", run_once=self.exits.run_once, bell=Bell()),
            Loop(name="schedules", run_once=self.scheduler.run_once, bell=schedules),
            Loop(name="freshness", run_once=self.refiller.run_once, bell=freshness),
            Loop(name="retention", run_once=self.keeper.run_once, bell=retention),
            Loop(name="census", run_once=self.census.run_once, bell=census),
        ]

    def apply(self, settings: DatabaseSettings) -> None:
        """Put settings in force; the workers are applied already."""
        self.scheduler.apply(settings.schedules)
        self.refiller.apply(settings.freshness)
        self.keeper.apply(settings.retention_s)
        self.census.apply(settings.freshness)
        self.disk.min_free_bytes = settings.min_free_bytes
        self._ring_loops()
        self.waiting.changed()

    def _ring_loops(self) -> None:
        """Have the loops look again: settings have changed, or whether there is room for their work."""
        for bell in self._settings_changed:
            bell.ring()

    def stop_background_work(self) -> None:
        """Enqueue nothing by schedule or freshness any more."""
        self.scheduler.is_stopped = True
        self.refiller.is_stopped = True

    def _committed(self, seen: Seen) -> None:
        self.counts.update(seen.counts)
        self.waiting.changed()
        if self.promoter.due_at(seen.next_due):
            self._promoting.ring()

    def is_known(self, error: Exception) -> bool:
        """Tell whether an error needs no report: it is the disk's, or of a transaction that was reported as lost."""
        return self.trouble.failed(error) or (bool(self.trouble.text) and isinstance(error, UnavailableError))

    def _failed(self, error: Exception) -> None:
        if not self.trouble.failed(error):
            self._note("transaction_failed", error=describe(error))

    def _handlers(self, state_dir: Path, clock: Clock) -> dict[str, Any]:
        enqueueing = Enqueueing(self.writer, self.workers, clock, self._moving.ring)
        jobs = JobQuestions(self.writer, self.reader, clock)
        data = DataQuestions(
            reader=self.reader, workers=self.workers, counts=self.counts, clock=clock, statistics=self._statistics
        )
        backups = BackupQuestions(self.writer, state_dir, clock)
        return {**enqueueing.handlers(), **jobs.handlers(), **data.handlers(), **backups.handlers()}

    def _statistics(self) -> dict[str, Any]:
        return {
            "sqlite": sqlite3.sqlite_version,
            "transactions": self.writer.transactions,
            "queued": self.writer.queued,
            "replicas": len(self.desk.sessions),
            "bulk_stopped": self.disk.bulk_stopped,
            "background_stopped": self.disk.background_stopped,
        }
