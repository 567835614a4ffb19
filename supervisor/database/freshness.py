"""Keep background work ready: refill a worker's queue with its stalest entities when it runs low.

The package's `<kind>_stale` statement selects entities of one tier, stalest first; what is unfinished in
the queue is left out here. Read on a read-only connection, enqueued in chunks.
"""

from functools import partial

from supervisor.core.clock import Clock
from supervisor.core.database_settings import FreshnessSettings, TierSettings
from supervisor.core.errors import UsageError
from supervisor.core.job import NewJob, Priority
from supervisor.database.disk import DiskWatch
from supervisor.database.enqueueing import enqueue_all
from supervisor.database.loops import Note
from supervisor.database.reader import Reader
from supervisor.database.statements import Statement
from supervisor.database.waiting import Counts
from supervisor.database.workers import Workers, WorkerSpec
from supervisor.database.writer import Lane, Writer

CHUNK = 250
LOW_WATER = 0.5
LOOK_EVERY_S = 1.0
# How long a worker with nothing stale is left alone: its statement is a scan that found nothing.
NOTHING_STALE_FOR_S = 30.0
MAX_ROWS_A_TIER = 20_000
FAR_FUTURE = 253402300800.0  # year 10000, in wall seconds

_UNFINISHED = ("scheduled", "available", "executing", "retryable")
_NOT_QUEUED = """SELECT entity FROM ({stale}
) AS stale WHERE NOT EXISTS (
    SELECT 1 FROM jobs WHERE kind = :worker AND entity = stale.entity
    AND state IN ('scheduled', 'available', 'executing', 'retryable')) LIMIT :room"""


class Refiller:
    """Refill each worker under [freshness]. is_stopped: set for a drain; a full disk stops it too."""

    def __init__(
        self, *, writer: Writer, reader: Reader, workers: Workers, counts: Counts, disk: DiskWatch,
        clock: Clock, note: Note,
    ) -> None:  # fmt: skip  # one line a name would be a page
        self._writer = writer
        self._disk = disk
        self._reader = reader
        self._workers = workers
        self._counts = counts
        self._clock = clock
        self._note = note
        self._freshness: list[FreshnessSettings] = []
        self._not_before: dict[str, float] = {}
        self.is_stopped = False

    def apply(self, freshness: list[FreshnessSettings]) -> None:
        """Replace the settings; every worker is looked at again."""
        self._freshness = freshness
        self._not_before.clear()

    async def run_once(self) -> float:
        """Refill whoever is below the low-water mark; return when to look again."""
        now = self._clock.monotonic()
        is_quiet = self.is_stopped or self._disk.background_stopped
        for settings in [] if is_quiet else self._freshness:
            if self._not_before.get(settings.worker, 0.0) <= now and self._room(settings) > 0:
                added = await self._refill(settings)
                self._not_before[settings.worker] = now + (0.0 if added else NOTHING_STALE_FOR_S)
        return self._clock.monotonic() + LOOK_EVERY_S

    def _room(self, settings: FreshnessSettings) -> int:
        """Return how many jobs to add; 0 above the low-water mark."""
        waiting = self._counts.count(settings.worker, "available", Priority.BACKGROUND)
        is_low = waiting < settings.keep_waiting * LOW_WATER
        return settings.keep_waiting - waiting if is_low else 0

    async def _refill(self, settings: FreshnessSettings) -> int:
        spec = self._workers.configured.get(settings.worker)
        statement = spec.convention("stale") if spec else None
        if spec is None or statement is None:
            return 0
        asked = room = self._room(settings)
        seen_before = FAR_FUTURE
        for tier in settings.tiers:
            entities = await self._stale(spec, statement, tier, seen_before, room)
            room -= await self._enqueue(spec, entities)
            if room <= 0 or tier.seen_within_s is None:
                break
            seen_before = self._clock.wall() - tier.seen_within_s
        return asked - room

    async def _stale(
        self, spec: WorkerSpec, statement: Statement, tier: TierSettings, seen_before: float, room: int
    ) -> list[str]:
        """Return at most `room` entities of the tier that are due and not queued.

        The statement's own limit covers what is queued already, which may well be the stalest of all.
        """
        now = self._clock.wall()
        unfinished = sum(self._counts.total(spec.name, state) for state in _UNFINISHED)
        parameters = {
            "now": now,
            "worker": spec.name,
            "seen_after": now - tier.seen_within_s if tier.seen_within_s is not None else 0.0,
            "seen_before": seen_before,
            "due_before": now - tier.every_s,
            "limit": min(MAX_ROWS_A_TIER, room + unfinished),
            "room": room,
        }
        (select,) = statement.parts
        rows = await self._reader.rows(_NOT_QUEUED.format(stale=select.rstrip().rstrip(";")), parameters)
        return [row["entity"] for row in rows]

    async def _enqueue(self, spec: WorkerSpec, entities: list[str]) -> int:
        rows = []
        for entity in entities:
            try:
                job = NewJob(worker=spec.name, entity=entity, priority=Priority.BACKGROUND, provenance="freshness")
                rows.append(self._workers.prepare(job))
            except UsageError as error:
                self._note("stale_entity_refused", worker=spec.name, entity=entity, reason=str(error))
        for start in range(0, len(rows), CHUNK):
            await self._writer.do(partial(enqueue_all, rows=rows[start : start + CHUNK]), Lane.BULK)
        return len(rows)
