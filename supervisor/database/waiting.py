"""Tell the supervisor what can be claimed, soon after it changed and not more often than useful.

The limiter takes a start permit off its copy with each grant, so a claim that found nothing, or a permit
given back unspent, must be corrected even when nothing changed here: `nudge`, and once a second anyway.
"""

from collections.abc import Callable, Iterable

from supervisor.core.clock import Clock
from supervisor.core.messages.supervisor_database import Waiting
from supervisor.database.loops import Bell

NOT_OFTENER_THAN_S = 0.025
CORRECTED_EVERY_S = 0.1
SENT_ANYWAY_EVERY_S = 1.0

PRIORITIES = 3


class Counts:
    """Jobs by (worker, state, priority) as of the last commit. Event loop only."""

    def __init__(self) -> None:
        self._n: dict[tuple[str, str, int], int] = {}

    def update(self, rows: Iterable[tuple[str, str, int, int]]) -> None:
        """Replace all counts."""
        self._n = {(kind, state, priority): n for kind, state, priority, n in rows}

    def count(self, worker: str, state: str, priority: int) -> int:
        """Return the jobs of one state and priority."""
        return self._n.get((worker, state, int(priority)), 0)

    def by_priority(self, worker: str, state: str) -> list[int]:
        """Return [urgent, normal, background]."""
        return [self.count(worker, state, priority) for priority in range(PRIORITIES)]

    def total(self, worker: str, state: str) -> int:
        """Return the jobs of one state."""
        return sum(self.by_priority(worker, state))

    def by_worker(self) -> dict[str, dict[str, list[int]]]:
        """Return {worker: {state: [urgent, normal, background]}} of what is not zero."""
        found: dict[str, dict[str, list[int]]] = {}
        for kind, state, _ in self._n:
            found.setdefault(kind, {})[state] = self.by_priority(kind, state)
        return found


class WaitingTeller:
    """Send Waiting when it changed, at most every NOT_OFTENER_THAN_S. has_room: its jobs may be claimed now."""

    def __init__(
        self, counts: Counts, workers: Callable[[], Iterable[str]], clock: Clock, send: Callable[[Waiting], None],
        has_room: Callable[[str], bool] = lambda worker: True,
    ) -> None:  # fmt: skip  # one line a name would be a page
        self._counts = counts
        self._workers = workers
        self._clock = clock
        self._send = send
        self._has_room = has_room
        self._sent: dict[str, list[int]] | None = None
        self._sent_at = 0.0
        self._is_nudged = False
        self._has_differed = False
        self.bell = Bell()

    def changed(self) -> None:
        """Note a commit.

        A job that was claimed and has come back since the last message leaves the counts as they were, but
        the supervisor's copy has lost it to the grant: what differed once must be sent.
        """
        self._has_differed |= self._current() != self._sent
        self.bell.ring()

    def nudge(self) -> None:
        """Note that the supervisor's copy may be too low."""
        self._is_nudged = True
        self.bell.ring()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            next_at = self.run_once()
            await self._clock.sleep_until(self._sent_at + NOT_OFTENER_THAN_S)
            await self.bell.wait_until(self._clock, next_at)

    def run_once(self) -> float:
        """Send if there is a reason; return when there will be one without a ring (monotonic seconds)."""
        now = self._clock.monotonic()
        current = self._current()
        every_s = CORRECTED_EVERY_S if self._is_nudged else SENT_ANYWAY_EVERY_S
        if self._has_differed or current != self._sent or now - self._sent_at >= every_s:
            self._sent, self._sent_at, self._is_nudged = current, now, False
            self._has_differed = False
            self._send(Waiting(current))
            every_s = SENT_ANYWAY_EVERY_S
        return self._sent_at + every_s

    def _current(self) -> dict[str, list[int]]:
        return {
            worker: self._counts.by_priority(worker, "available") if self._has_room(worker) else [0] * PRIORITIES
            for worker in self._workers()
        }
