"""End the leases of replicas that the supervisor has seen die, and tell it when that is committed."""

import sqlite3
from functools import partial

from supervisor.core.clock import Clock
from supervisor.core.messages.supervisor_database import ReplicaExited
from supervisor.database.claiming import Claiming
from supervisor.database.failures import describe
from supervisor.database.leases import Leases
from supervisor.database.loops import Note
from supervisor.database.suspects import Ended, end_leases
from supervisor.database.writer import Writer

# The supervisor repeats an exit after a restart of this process until it has heard this.
LEASES_ENDED = "replica_leases_ended"
AGAIN_EVERY_S = 0.5


class Exits:
    """Take exits; safe when one is repeated before its replica's name is used again."""

    def __init__(self, writer: Writer, leases: Leases, claiming: Claiming, clock: Clock, note: Note) -> None:
        self._writer = writer
        self._leases = leases
        self._claiming = claiming
        self._clock = clock
        self._note = note
        self._again: list[ReplicaExited] = []

    def exited(self, exited: ReplicaExited) -> None:
        """End the leases with the next group."""
        self._writer.submit(partial(self._end, exited=exited), partial(self._ended, exited))

    async def run_once(self) -> float:
        """Repeat what could not be committed; return when to look again.

        Soon, because the name goes to the next replica, whose leases must not be ended in its place.
        """
        again, self._again = self._again, []
        for exited in again:
            self.exited(exited)
        return self._clock.monotonic() + AGAIN_EVERY_S

    async def end(self, exited: ReplicaExited) -> None:
        """End the leases and return when that is committed."""
        self._ended(exited, await self._writer.do(partial(self._end, exited=exited)), None)

    def _end(self, connection: sqlite3.Connection, now: float, *, exited: ReplicaExited) -> Ended:
        self._claiming.quiet.forget(exited.replica)
        return end_leases(connection, now, replica=exited.replica, crashed=exited.crashed, status=exited.status)

    def _ended(self, exited: ReplicaExited, ended: Ended | None, error: Exception | None) -> None:
        if ended is None:
            self._note("replica_leases_not_ended", replica=exited.replica, error=describe(error or Exception()))
            self._again.append(exited)
            return
        self._leases.forget(exited.replica)
        self._note(LEASES_ENDED, replica=exited.replica, released=ended.released)
        for job, worker, entity, evidence in ended.poisoned:
            self._note("job_poisoned", job=job, worker=worker, entity=entity, evidence=evidence)
