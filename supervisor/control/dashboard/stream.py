"""GET /events: server-sent events for pages and scripts (WHATWG HTML, "Server-sent events").

    event: history     data: [sample, …]       once, when the stream opens (`history.py`)
    event: status      data: {status, "sample": the newest}     every second (`status.py`)
    event: failures    data: [job, …]          the newest jobs that failed, when they change

Each frame is made once, for all streams; while nobody watches none is made. A stream that cannot keep up
misses frames and never makes another one wait: it writes the newest when it is ready for it.
"""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web

from supervisor.control.face import Face
from supervisor.control.problems import problem
from supervisor.core.clock import Clock
from supervisor.core.errors import GathererError

EVERY_S = 1.0
MAX_STREAMS = 200
FAILURES_EVERY = 5
FAILED_STATES = ("discarded", "retryable")
SHOWN_FAILURES = 12
WRITE_WITHIN_S = 30.0
RETRY_MS = 1000


class Stream:
    """All open pages. run: the one loop that makes frames; follow: the handler of GET /events."""

    def __init__(self, *, face: Face, samples: Sequence[dict[str, Any]], clock: Clock) -> None:
        self._face = face
        self._samples = samples
        self._clock = clock
        self._status = b""
        self._failures = b""
        self._turn = 0
        self._turned = asyncio.Event()
        self._is_open = True
        self.watching = 0

    async def run(self) -> None:
        """Make the frames of each second until cancelled."""
        while True:
            await self.run_once()
            await self._clock.sleep_until(self._clock.monotonic() + EVERY_S)

    async def run_once(self) -> None:
        """Make this second's frames, if somebody watches, and wake who waits for them."""
        if not self.watching:
            self._turn = 0
            return
        self._status = self._status_now()
        if self._turn % FAILURES_EVERY == 0:
            self._failures = await self._failures_now()
        self._turn += 1
        self._wake()

    def close(self) -> None:
        """End every stream: the program stops."""
        self._is_open = False
        self._wake()

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Send frames until the page goes away."""
        if self.watching >= MAX_STREAMS:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{MAX_STREAMS} pages are open already")
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await answer.prepare(request)
        self.watching += 1
        # A page that has gone shows as an error of a write, or as a write that takes for ever.
        with contextlib.suppress(ConnectionError, TimeoutError):
            try:
                await self._send_all(answer)
            finally:
                self.watching -= 1
        return answer

    async def _send_all(self, answer: web.StreamResponse) -> None:
        news = b"retry: %d\n\n" % RETRY_MS + frame("history", list(self._samples)) + self._status_now()
        failures = b""
        while self._is_open:
            async with asyncio.timeout(WRITE_WITHIN_S):
                await answer.write(news)
            await self._turned.wait()
            news = self._status
            if self._failures != failures:
                failures = self._failures
                news += failures

    def _status_now(self) -> bytes:
        return frame("status", self._face.status() | {"sample": self._samples[-1] if self._samples else None})

    async def _failures_now(self) -> bytes:
        jobs: list[dict[str, Any]] = []
        for state in FAILED_STATES:
            with contextlib.suppress(GathererError):  # the database is away: the status says so
                status, body = await self._face.ask("jobs.list", {"state": state, "limit": str(SHOWN_FAILURES)})
                jobs += json.loads(body)["jobs"] if status == HTTPStatus.OK else []
        jobs.sort(key=lambda job: float(job["finished_at"] or job["started_at"] or 0.0), reverse=True)
        return frame("failures", jobs[:SHOWN_FAILURES])

    def _wake(self) -> None:
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()


def frame(event: str, data: Any) -> bytes:
    """Return one event; JSON in ASCII has no line breaks of its own, also none of Unicode's (U+2028)."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
