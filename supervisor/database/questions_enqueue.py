"""Questions that add jobs: a few at once, or many in a staged batch that is accepted as a whole."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from supervisor.core.clock import Clock
from supervisor.database import staging
from supervisor.database.enqueueing import Enqueued, enqueue_all
from supervisor.database.entries import PROBLEMS_SHOWN, Entries, parse_many, parse_one
from supervisor.database.questions import Answer, Handler, Params, integer, problem
from supervisor.database.workers import Workers
from supervisor.database.writer import Lane, Writer

MAX_ENQUEUED = 1000
MAX_APPENDED = 5000
CHUNK = 500
# Fewer jobs than this are parsed on the event loop.
PARSED_AT_ONCE = 50


class _Head(msgspec.Struct, frozen=True):
    jobs: msgspec.Raw = msgspec.Raw()


class Enqueueing:
    """Handlers for enqueue and batch.*; `closed` is called when a batch was accepted or aborted."""

    def __init__(self, writer: Writer, workers: Workers, clock: Clock, closed: Callable[[], None]) -> None:
        self._writer = writer
        self._workers = workers
        self._clock = clock
        self._closed = closed

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods of this part."""
        return {
            "enqueue": self.enqueue,
            "batch.open": self.open,
            "batch.append": self.append,
            "batch.accept": partial(self._close, "accepted"),
            "batch.abort": partial(self._close, "aborted"),
        }

    async def enqueue(self, params: Params, body: bytes) -> Answer:
        """Add one job or {"jobs": [...]}; all of them or, when one cannot be understood, none."""
        now = self._clock.wall()
        if not _has_many(body):
            return await self._enqueue([parse_one(body, self._workers, now=now)])
        entries = await self._parse(body, MAX_ENQUEUED)
        if entries.problems:
            return _bad_lines(entries)
        return await self._enqueue(entries.rows)

    async def open(self, params: Params, body: bytes) -> Answer:
        """Open a batch."""
        return Answer(body={"batch": await self._writer.do(staging.open_batch)}, status=201)

    async def append(self, params: Params, body: bytes) -> Answer:
        """Stage {"jobs": [...]}; a bad line stages nothing of this call."""
        batch = integer(params, "batch")
        entries = await self._parse(body, MAX_APPENDED)
        if entries.problems:
            return _bad_lines(entries)
        first = await self._writer.do(partial(staging.open_end, batch=batch))
        for start in range(0, len(entries.rows), CHUNK):
            chunk = entries.rows[start : start + CHUNK]
            write = partial(staging.write, batch=batch, first=first + start, rows=chunk)
            await self._writer.do(write, Lane.BULK)
        staged = await self._writer.do(partial(staging.grow, batch=batch, first=first, n=len(entries.rows)))
        return Answer(body={"batch": batch, "staged": staged})

    async def _close(self, state: str, params: Params, body: bytes) -> Answer:
        batch = integer(params, "batch")
        staged = await self._writer.do(partial(staging.close, batch=batch, state=state))
        self._closed()
        return Answer(body={"batch": batch, "state": state, "jobs": staged})

    async def _parse(self, body: bytes, at_most: int) -> Entries:
        parse = partial(parse_many, body, self._workers, now=self._clock.wall(), at_most=at_most)
        return parse() if len(body) < PARSED_AT_ONCE * 100 else await asyncio.to_thread(parse)

    async def _enqueue(self, rows: "list[dict[str, object]]") -> Answer:
        done: list[Enqueued] = []
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            done += await self._writer.do(partial(enqueue_all, rows=chunk), Lane.SHORT if len(rows) == 1 else Lane.BULK)
        merged = sum(job.merged for job in done)
        jobs = [
            {"id": job.id, "worker": row["kind"], "entity": row["entity"], "state": job.state, "merged": job.merged}
            for row, job in zip(rows, done, strict=True)
        ]
        return Answer(
            body={"accepted": len(done), "new": len(done) - merged, "merged": merged, "jobs": jobs}, status=202
        )


def _has_many(body: bytes) -> bool:
    try:
        return len(bytes(msgspec.json.decode(body, type=_Head).jobs)) > 0
    except (msgspec.MsgspecError, RecursionError):
        return False


def _bad_lines(entries: Entries) -> Answer:
    detail = f"{len(entries.problems)} of the jobs cannot be understood; none was taken"
    return problem(422, "cannot be understood", detail, errors=entries.problems[:PROBLEMS_SHOWN])
