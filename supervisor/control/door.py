"""A door for connections: how many may stand in it, and how long one may take to say something whole.

    connected ──HEAD_S──▶ head of a request ──BODY_S──▶ its body ──▶ handler ──IDLE_S──▶ answer sent, next head

aiohttp sets none of these limits: a client that sends a byte a second would stay for ever, and ten thousand of them
would take every descriptor that replicas need. A handler may take its time; those that wait have limits of their own.
"""

import asyncio
import logging
import math
import resource
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from supervisor.control.problems import Handler, problem

MAX_CONNECTIONS = 512
SHARE_OF_FILES = 4  # a door never takes more than one in so many of the descriptors that we may have
HEAD_S = 10.0
BODY_S = 30.0
IDLE_S = 75.0  # longer than reverse proxies keep a connection for the next request
LOOK_EVERY_S = 0.5
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: 76\r\n\r\n"
    b'{"title":"Service Unavailable","status":503,"detail":"too many connections"}'
)


class Door:
    """Connections of one listening socket. Give `runner.app` the middleware `watch`; `open` before anybody may come."""

    def __init__(self) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = (
            MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, files // SHARE_OF_FILES)
        )
        self._deadlines: dict[asyncio.BaseProtocol, float] = {}
        self._coming: set[asyncio.BaseProtocol] = set()  # admitted since the last look: perhaps not connected yet
        self._server: web.Server | None = None
        self._listening: asyncio.Server | None = None
        self._looking: asyncio.TimerHandle | None = None

    async def open(self, runner: web.AppRunner, where: Path | tuple[str, int]) -> int:
        """Let people in by a Unix socket or a TCP address; return the port, 0 = none. OSError: it cannot be used."""
        self._server = runner.server
        loop = asyncio.get_running_loop()
        if isinstance(where, Path):
            self._listening = await loop.create_unix_server(self._admit, str(where))
        else:
            self._listening = await loop.create_server(self._admit, *where)
        self._look()
        return 0 if isinstance(where, Path) else int(self._listening.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Let nobody in any more; who is inside stays. Safe when called twice or before `open`."""
        if self._listening is not None:
            self._listening.close()
        if self._looking is not None:
            self._looking.cancel()

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Take the connection's deadline away while its request is handled, and set the next one."""
        self._deadlines[request.protocol] = math.inf
        try:
            return await handler(request)
        finally:
            self._deadlines[request.protocol] = asyncio.get_running_loop().time() + IDLE_S

    def _admit(self) -> asyncio.BaseProtocol:
        assert self._server is not None
        if len(self._server.connections) >= self.most:
            return _Refusal()
        visitor = self._server()
        self._coming.add(visitor)
        self._deadlines[visitor] = asyncio.get_running_loop().time() + HEAD_S
        return visitor

    def _look(self) -> None:
        """Send away whoever is past his deadline."""
        assert self._server is not None
        loop = asyncio.get_running_loop()
        now = loop.time()
        inside = self._server.connections
        known = self._coming.union(inside)
        self._deadlines = {who: at for who, at in self._deadlines.items() if who in known}
        self._coming.clear()
        for visitor in inside:
            if self._deadlines.get(visitor, math.inf) <= now and visitor.transport is not None:
                visitor.transport.abort()
        self._looking = loop.call_later(LOOK_EVERY_S, self._look)


class _Refusal(asyncio.Protocol):
    """Say that the door is full, and close it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(FULL)  # type: ignore[attr-defined]  # a stream's transport, under uvloop of a class of its own
        transport.close()


@web.middleware
async def take_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the whole body before the handler, within BODY_S; a compressed one is not unpacked."""
    if not request.body_exists:
        return await handler(request)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as it is, without Content-Encoding")
    try:
        async with asyncio.timeout(BODY_S):
            await request.read()
    except TimeoutError:
        return problem(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {BODY_S:g} s")
    except (RequestPayloadError, ConnectionError) as error:
        return problem(HTTPStatus.BAD_REQUEST, f"the body is broken: {type(error).__name__}")
    return await handler(request)


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | RequestPayloadError | ConnectionError)


# What is wrong with a stranger's request is told to him. In our log it would be a traceback for each, with the line
# that was wrong in it, and that may be one with a token.
LOGGER = logging.getLogger("gatherer.http")
LOGGER.addFilter(_is_ours)
