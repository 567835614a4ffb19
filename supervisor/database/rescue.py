"""End leases that have run out: their replica hangs or is gone without anybody saying so."""

from functools import partial

from supervisor.core.clock import Clock
from supervisor.database.leases import Leases
from supervisor.database.loops import Note
from supervisor.database.suspects import end_leases
from supervisor.database.writer import Writer

LOOK_EVERY_S = 1.0


class Rescuer:
    """Make jobs of expired leases available again."""

    def __init__(self, writer: Writer, leases: Leases, clock: Clock, note: Note) -> None:
        self._writer = writer
        self._leases = leases
        self._clock = clock
        self._note = note

    async def run_once(self) -> float:
        """Rescue what has expired; return when to look again."""
        for replica in self._leases.expired(self._clock.monotonic()):
            holder = self._leases.forget(replica)
            try:
                work = partial(end_leases, replica=replica, crashed=False, status="lease expired")
                ended = await self._writer.do(work)
            except Exception:
                self._leases.remember(replica, holder)  # not committed, so not ended: the next turn tries again
                raise
            self._note("leases_expired", replica=replica, jobs=ended.released)
        return self._clock.monotonic() + LOOK_EVERY_S
