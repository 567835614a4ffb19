"""Connections of replicas: each message becomes one request of the writer, each answer leaves after COMMIT."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from supervisor.core.backoff import full_jitter
from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError, UsageError, WireError
from supervisor.core.job import ClaimedJob, NewJob
from supervisor.core.messages.base import Message
from supervisor.core.messages.replica_database import (
    DONE,
    Claim,
    Claimed,
    Failed,
    Finish,
    Finished,
    GiveBack,
    Hello,
    Renew,
    Rows,
    Stage,
    Stored,
    ToDatabase,
)
from supervisor.core.wire import Channel
from supervisor.database import finishing, staging
from supervisor.database.bundle import Bundle
from supervisor.database.claiming import Ask, Claiming
from supervisor.database.disk import DiskWatch
from supervisor.database.failures import describe, may_pass
from supervisor.database.gate import Gate
from supervisor.database.leases import Leases
from supervisor.database.loops import Note
from supervisor.database.suspects import end_stray_leases
from supervisor.database.trouble import Trouble
from supervisor.database.workers import Workers, WorkerSpec
from supervisor.database.writer import Done, Lane, Work, Writer

MAX_CLAIM = 64
MAX_UNANSWERED = 1000
NO_ROOM = "the disk has less than [storage] min_free left"
# A finish with more rows or follow-ups than this shares the writer as bulk does.
SHORT_FINISH_ROWS = 100
RETRY_BASE_S = 2.0
RETRY_CAP_S = 600.0


class Desk:
    """What all sessions share. dropped: follow-ups left out since the last look, by worker name."""

    def __init__(
        self, *, writer: Writer, claiming: Claiming, workers: Workers, leases: Leases, disk: DiskWatch,
        trouble: Trouble, clock: Clock, random: Random, nudge: Callable[[], None], batch_accepted: Callable[[], None],
        note: Note,
    ) -> None:  # fmt: skip  # one line a name would be a page
        self.writer = writer
        self.claiming = claiming
        self.workers = workers
        self.leases = leases
        self.disk = disk
        self._trouble = trouble
        # Workers that send rows ahead. Known by what they did, so that no manifest must say it.
        self._sends_bulk: set[str] = set()
        self.clock = clock
        self.nudge = nudge
        self.batch_accepted = batch_accepted
        self.gate = Gate(clock, note)
        self.sessions: set[Session] = set()
        self.dropped: dict[str, int] = {}
        self.completions = Bundle(writer, finishing.complete)
        self._claims: dict[str, Bundle[Ask]] = {}
        self._random = random

    def connect(self) -> Channel:
        """Return the channel of a new connection."""
        session = Session(self)
        self.sessions.add(session)
        self.gate.enter(session.channel)
        return session.channel

    def has_room(self, worker: str) -> bool:
        """Tell whether there is room for what the jobs of `worker` store."""
        return not self._trouble.text and not (self.disk.bulk_stopped and worker in self._sends_bulk)

    def takes_bulk(self, worker: str) -> bool:
        """Tell whether bulk rows are taken now; remember who sends them."""
        self._sends_bulk.add(worker)
        return not self.disk.bulk_stopped

    def claims(self, spec: WorkerSpec) -> Bundle[Ask]:
        """Return where claims of this worker wait together."""
        bundle = self._claims.get(spec.name)
        if bundle is None:
            bundle = self._claims[spec.name] = Bundle(self.writer, partial(self._claim, worker=spec.name))
        return bundle

    def _claim(
        self, connection: sqlite3.Connection, now: float, asks: Sequence[Ask], *, worker: str
    ) -> list[list[ClaimedJob]]:
        return self.claiming.claim(connection, now, asks, spec=self.workers.known(worker))

    def backoff_s(self, attempt: int) -> float:
        """Return seconds until the next attempt."""
        return full_jitter(attempt, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, random=self._random)

    def follow_up_rows(self, jobs: list[NewJob]) -> list[dict[str, Any]]:
        """Return rows to enqueue; what no configured worker can run is dropped and counted.

        One bad name in a leaderboard must not fail the job that read it.
        """
        rows = []
        for job in jobs:
            try:
                rows.append(self.workers.prepare(job))
            except UsageError:
                self.dropped[job.worker] = self.dropped.get(job.worker, 0) + 1
        return rows


class Session:
    """One connection. Says Hello first; a message before that, or a frame that is none, ends it.

    It is not read while MAX_UNANSWERED of its requests wait: who asks faster than we write waits in his own buffers.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._replica = ""
        self._worker = ""
        self._unanswered = 0
        self.channel = Channel(ToDatabase, self._receive, self._closed)
        self._handlers: dict[type[Message], Callable[[Any], None]] = {
            Claim: self._claim,
            Renew: self._renew,
            Rows: self._rows,
            Stage: self._stage,
            Finish: self._finish,
            GiveBack: self._give_back,
        }

    def _receive(self, message: Message) -> None:
        if isinstance(message, Hello):
            self._desk.gate.name(self.channel, message)
            self._replica, self._worker = message.replica, message.worker
            return
        if not self._replica:
            raise WireError("spoke before it said who it is")
        self._handlers[type(message)](message)

    def _closed(self, error: Exception | None) -> None:
        """Forget the connection. Leases stay: only an exit or time ends them, the replica may come back."""
        self._desk.sessions.discard(self)
        self._desk.gate.leave(self.channel, error)

    def _ask(self, work: Work, done: Done, lane: Lane = Lane.SHORT) -> None:
        self._desk.writer.submit(work, self._counted(done), lane)

    def _counted(self, done: Done) -> Done:
        """Count a request until it is answered; read no more while there are too many."""
        self._unanswered += 1
        if self._unanswered >= MAX_UNANSWERED:
            self.channel.hold(True)
        return partial(self._answered, done)

    def _answered(self, done: Done, result: Any, error: Exception | None) -> None:
        self._unanswered -= 1
        if self._unanswered < MAX_UNANSWERED // 2:
            self.channel.hold(False)
        done(result, error)

    def _claim(self, message: Claim) -> None:
        spec = self._desk.workers.configured.get(self._worker)
        if spec is None or message.n < 1 or not self._desk.has_room(self._worker):
            self.channel.send(Claimed(message.call, []))
            return
        ask = Ask(self._replica, min(message.n, MAX_CLAIM))
        self._desk.claims(spec).submit(ask, self._counted(partial(self._claimed, message)))

    def _claimed(self, message: Claim, jobs: list[ClaimedJob] | None, error: Exception | None) -> None:
        if error is not None or jobs is None:
            self._fail(message.call, error)
            return
        if len(jobs) < message.n:
            self._desk.nudge()
        self._desk.leases.granted(self._replica, (job.lease for job in jobs), self._desk.clock.monotonic())
        if self.channel.is_open:
            self.channel.send(Claimed(message.call, jobs))
            return
        for job in jobs:  # nobody will ever run these
            self._end(job.id, job.lease, lambda result, error: None)

    def _renew(self, message: Renew) -> None:
        now = self._desk.clock.monotonic()
        self._desk.leases.renewed(self._replica, now)
        if message.leases is None:
            return
        strays = self._desk.leases.strays(self._replica, message.leases, now)
        if strays:
            work = partial(end_stray_leases, replica=self._replica, keep=message.leases, old=strays)
            self._ask(work, partial(self._strays_ended, strays))

    def _strays_ended(self, strays: list[int], result: Any, error: Exception | None) -> None:
        """Forget them when that is committed; otherwise the next Renew finds them again."""
        for lease in strays if error is None else ():
            self._desk.leases.ended(self._replica, lease)

    def _rows(self, message: Rows) -> None:
        if not self._desk.takes_bulk(self._worker):
            self.channel.send(Failed(message.call, NO_ROOM, retryable=True, not_soon=True))
            return
        work = partial(
            finishing.store_ahead,
            job=message.job,
            lease=message.lease,
            replica=self._replica,
            spec=self._desk.workers.known(self._worker),
            effect=message.effect,
        )
        self._submit(message.call, work, Lane.BULK)

    def _stage(self, message: Stage) -> None:
        rows = self._desk.follow_up_rows(message.jobs)
        work = partial(staging.stage, job=message.job, lease=message.lease, replica=self._replica, rows=rows)
        self._submit(message.call, work, Lane.BULK)

    def _submit(self, call: int, work: Work, lane: Lane) -> None:
        def done(result: Any, error: Exception | None) -> None:
            if error is None:
                self.channel.send(Stored(call))
            else:
                self._fail(call, error)

        self._ask(work, done, lane)

    def _finish(self, message: Finish) -> None:
        spec = self._desk.workers.known(self._worker)
        if finishing.is_plain(message, spec):
            ending = finishing.Ending(message, self._replica)
            self._desk.completions.submit(ending, self._counted(partial(self._finished, message)))
            return
        follow_ups = self._desk.follow_up_rows(message.follow_ups)
        work = partial(
            finishing.finish,
            message=message,
            replica=self._replica,
            spec=spec,
            follow_ups=follow_ups,
            prepare=self._desk.follow_up_rows,
            backoff_s=self._desk.backoff_s,
        )
        rows = len(follow_ups) + sum(len(effect.rows) for effect in message.effects)
        lane = Lane.SHORT if rows <= SHORT_FINISH_ROWS else Lane.BULK
        self._ask(work, partial(self._finished, message), lane)

    def _give_back(self, message: GiveBack) -> None:
        self._end(message.job, message.lease, partial(self._finished, message))

    def _end(self, job: int, lease: int, done: Callable[[Any, Exception | None], None]) -> None:
        self._ask(partial(finishing.give_back, job=job, lease=lease, replica=self._replica), done)

    def _finished(self, message: Finish | GiveBack, result: str | None, error: Exception | None) -> None:
        if error is not None or result is None:
            self._fail(message.call, error)
            return
        self._desk.leases.ended(self._replica, message.lease)
        if result == DONE:
            self._desk.batch_accepted()
        self.channel.send(Finished(message.call, result))

    def _fail(self, call: int, error: Exception | None) -> None:
        error = error or UnavailableError("no answer")
        self.channel.send(Failed(call, describe(error), may_pass(error)))
