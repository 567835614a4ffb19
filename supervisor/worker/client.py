"""Requests out, each behind its own permit.

One request:
  1. take a permit (the first one of a job came with its start)
  2. send; at the response headers give the permit back with status and round trip
  3. read the body, still compressed
429, a first 401, a first 403 and a broken connection take a new permit, which the supervisor grants
with another key where one can, before all who wait and within the deadline of the first; everything
else is the job's to judge, and so is a 403 where only the same key is to be had.

Never a hidden request: no redirects, no retry inside aiohttp (a counted request without a permit
breaks the limiter's promise).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from supervisor.core.clock import Clock
from supervisor.worker.measures import Measures
from supervisor.worker.permits import Permit, PermitRefused
from supervisor.worker.response import HttpResponse
from supervisor.worker.sdk import MOST_BODY_BYTES, RequestFailed
from supervisor.worker.sighting import Sighted, date_s

MAX_WIRE_BYTES = 64 * 1024 * 1024
MAX_TRIES = 6
PERMIT_WAIT_S = 300.0
CONNECT_TIMEOUT_S = 10.0
"""For all of it: the name, TCP and TLS. Until then nothing was sent, so it costs neither quota nor an attempt."""
READ_CHUNK_BYTES = 256 * 1024
UNREACHABLE_PAUSE_S = 2.0
# Raised while a connection is made: name lookup, TCP, TLS. Not by a kept-alive connection that breaks.
NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
ONCE_MORE = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
"""Another token or another key may be allowed; a second refusal is the answer."""
HEADERS = {"Accept-Encoding": "gzip", "Accept": "application/json", "User-Agent": "gatherer"}


def open_session() -> aiohttp.ClientSession:
    """Return the one session of a replica: keep-alive, no cookies, no retries of its own."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=60.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers=HEADERS,
        read_bufsize=READ_CHUNK_BYTES,
        response_class=Sighted,
        requote_redirect_url=False,
    )
    # aiohttp repeats an idempotent request once when a kept-alive connection turns out dead. That
    # repeat has no permit. There is no public switch (3.14); tests/worker counts requests to hold it.
    session._retry_connection = False
    return session


class HttpClient:
    """Implements `sdk.Client` for one job."""

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        api: Mapping[str, Any],
        acquire: Callable[[str, float, bool], Awaitable[Permit]],
        first_permit: Permit | None,
        clock: Clock,
        measures: Measures,
    ) -> None:
        self._session = session
        self._api = api
        self._timeout = aiohttp.ClientTimeout(total=float(api.get("timeout_s", 30.0)), connect=CONNECT_TIMEOUT_S)
        self._acquire = acquire
        self._first_permit = first_permit
        self._clock = clock
        self._measures = measures
        self.requests = 0

    async def get(
        self,
        path: str,
        *,
        region: str = "",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = MOST_BODY_BYTES,
    ) -> HttpResponse:
        """GET base_url + path; see `sdk.Client.get`."""
        base = str(self._api["base_url"]).replace("{region}", region or str(self._api.get("region", "")))
        url = base + path + ("?" + urlencode(params) if params else "")
        where = region or str(self._api.get("region", ""))
        deadline = self._clock.monotonic() + PERMIT_WAIT_S
        answer, key, repeated = None, "", set[int]()
        for tries in range(MAX_TRIES):
            permit = await self._permit(region, url, deadline, again=tries > 0)
            if answer is not None and answer.status == HTTPStatus.FORBIDDEN and permit.key == key:
                permit.not_sent()
                return answer
            if tries:
                self._measures.retried()
            permit.region = where
            answer, key = await self._send(permit, url, headers or {}, most_bytes), permit.key
            if permit.is_probe and (answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR):
                raise RequestFailed("host down", url, _said(answer))
            if answer is not None and answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                if answer.status not in ONCE_MORE or answer.status in repeated:
                    return answer
                repeated.add(answer.status)
        raise RequestFailed("rejected", url, f"{MAX_TRIES} tries, the last: {_said(answer)}")

    def close(self) -> None:
        """Give the first permit back if no request was needed."""
        if self._first_permit is not None:
            self._first_permit.not_sent()
            self._first_permit = None

    async def _permit(self, region: str, url: str, deadline: float, *, again: bool) -> Permit:
        permit, self._first_permit = self._first_permit, None
        if permit is not None:
            if permit.fits(region, self._clock.monotonic()):
                return permit
            permit.not_sent()
        try:
            return await self._acquire(region, deadline, again)
        except PermitRefused as error:
            if error.is_host_down:
                # So that jobs of this host do not run through the slots in a hot loop.
                await self._clock.sleep_until(self._clock.monotonic() + UNREACHABLE_PAUSE_S)
                raise RequestFailed("host down", url, error.why) from error
            raise RequestFailed("draining" if error.is_draining else "no permit", url, error.why) from error

    async def _send(self, permit: Permit, url: str, headers: Mapping[str, str], most_bytes: int) -> HttpResponse | None:
        """Return the answer; None = the connection broke, worth one more permit. Timeouts raise.

        Where no connection came about, no byte can have left: the permit goes back unsent, and the slot
        pauses, so that an unreachable API costs neither quota nor the CPU of a hot loop.
        """
        target = url
        if permit.query:
            target += ("&" if "?" in url else "?") + urlencode(permit.query)
        started = self._clock.monotonic()
        self.requests += 1
        try:
            with permit, _unsent_without_connection(permit):
                async with self._session.get(
                    URL(target, encoded=True),
                    headers={**headers, **permit.headers},
                    timeout=self._timeout,
                    allow_redirects=False,
                ) as response:
                    rtt_s = self._clock.monotonic() - started
                    self._report(permit, response, rtt_s)
                    raw = await _read(response, url, min(MAX_WIRE_BYTES, most_bytes))
                    return HttpResponse(response.status, response.headers, url, raw, most_bytes)
        except NO_CONNECTION as error:
            self.requests -= 1
            await self._clock.sleep_until(self._clock.monotonic() + UNREACHABLE_PAUSE_S)
            raise RequestFailed("unreachable", url, str(error)) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return None
        except TimeoutError as error:
            reason = "host down" if permit.is_probe else "timeout"
            raise RequestFailed(reason, url, f"no answer in {self._timeout.total:g} s") from error
        except aiohttp.ClientError as error:
            raise RequestFailed("connection", url, f"{type(error).__name__}") from error

    def _report(self, permit: Permit, response: aiohttp.ClientResponse, rtt_s: float) -> None:
        headers = response.headers
        if isinstance(response, Sighted) and self._api.get("is_sighted"):
            permit.answered(
                response.status, rtt_s, _retry_after_s(headers), date_s(headers), response.path, _room(headers)
            )
        else:
            permit.answered(response.status, rtt_s, _retry_after_s(headers), room=_room(headers))


def _said(answer: HttpResponse | None) -> str:
    return f"HTTP {answer.status}" if answer else "connection broke"


async def _read(response: aiohttp.ClientResponse, url: str, most_bytes: int) -> bytes:
    if (response.content_length or 0) > most_bytes:
        raise RequestFailed("too large", url, f"{response.content_length} bytes")
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            raise RequestFailed("too large", url, f"more than {most_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


@contextmanager
def _unsent_without_connection(permit: Permit) -> Iterator[None]:
    try:
        yield
    except NO_CONNECTION:
        permit.unreachable()
        raise


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the header's seconds; -1 when absent or a date (dates need a clock that agrees)."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() and len(value) < 8 else -1.0


def _room(headers: Mapping[str, str]) -> tuple[int, int]:
    """Return what RateLimit headers say: (requests that a window allows, those left); -1 each when they do not.

    Names as drafts 0 to 6 of draft-ietf-httpapi-ratelimit-headers have them, with and without "X-".
    """
    for prefix in ("X-RateLimit-", "RateLimit-"):
        remaining = headers.get(prefix + "Remaining", "")
        if remaining:
            allowed = headers.get(prefix + "Limit", "").partition(",")[0]
            return (int(allowed), int(remaining)) if _is_number(allowed) and _is_number(remaining) else (-1, -1)
    return -1, -1


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


async def close_session(session: aiohttp.ClientSession) -> None:
    """Close the session and let its transports go."""
    await session.close()
    await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop, not a wait
