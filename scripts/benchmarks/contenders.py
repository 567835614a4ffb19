"""The process of `scripts/bench limiter` that grants permits: ours, or another limiter in its place.

    stdin    {"name": "aiolimiter", "fds": [5, 6], "token": "…", "api": {...}, "journal": "…"}

Other limiters grant when they are passed, one after the other, and take no notice of what comes back.
They stand in one process that all replicas ask, which is the best case for them: spread over the
replicas each would have a quarter of the limit. api: fields of `settings.config.Api`, for ours.
"""

import asyncio
import json
import socket
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from aiolimiter import AsyncLimiter
from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate

from scripts.benchmarks.permit_desk import open_desk
from supervisor.core.clock import SystemClock
from supervisor.core.messages.replica_supervisor import Acquire, FromReplica, Grant
from supervisor.core.wire import Channel
from supervisor.settings.config import Api, Window

LIMIT, WINDOW_S = 100, 1.0
GUIDE_PER_S = 70.0
OURS = ("ours: sliding", "ours: sliding, theta auto", "ours: bucket", "ours: fixed, phase given")
OTHERS = ("guide: bucket of 70/s", "sliding log at send", "aiolimiter", "pyrate-limiter")


class TokenBucket:
    """The guide's safe capacity: 70 at once, 70 a second."""

    def __init__(self) -> None:
        self._level, self._at = GUIDE_PER_S, time.monotonic()

    async def acquire(self) -> None:
        now = time.monotonic()
        self._level = min(GUIDE_PER_S, self._level + (now - self._at) * GUIDE_PER_S) - 1.0
        self._at = now
        if self._level < 0.0:
            await asyncio.sleep(-self._level / GUIDE_PER_S)


class SendLog:
    """The exact rule of the API, kept by the moments of sending: no more than 100 sent in any second."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=LIMIT)

    async def acquire(self) -> None:
        if len(self._sent) == LIMIT:
            await SystemClock().sleep_until(self._sent[0] + WINDOW_S)
        self._sent.append(time.monotonic())


def other(name: str) -> Callable[[], Awaitable[Any]]:
    """Return what to await before each request."""
    if name == "aiolimiter":
        acquire: Callable[[], Awaitable[Any]] = AsyncLimiter(LIMIT, WINDOW_S).acquire
        return acquire
    if name == "pyrate-limiter":
        return Limiter(InMemoryBucket([Rate(LIMIT, Duration.SECOND)])).try_acquire_async
    return TokenBucket().acquire if name.startswith("guide") else SendLog().acquire


class Desk:
    """Another limiter, asked by replicas: one queue, first come, first served."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._acquire = other(order["name"])
        self._headers = {"Authorization": f"Bearer {order['token']}"}
        self._asked: asyncio.Queue[tuple[Channel, int]] = asyncio.Queue()

    async def run(self, sockets: list[socket.socket]) -> None:
        for each in sockets:
            await asyncio.get_running_loop().create_unix_connection(self._channel, sock=each)
        permits = 0
        while True:
            channel, ask = await self._asked.get()
            await self._acquire()
            permits += 1
            channel.send(Grant(ask, permits, "key", self._headers))

    def _channel(self) -> Channel:
        def receive(message: Any) -> None:
            if isinstance(message, Acquire):
                self._asked.put_nowait((channel, message.ask))

        channel = Channel(FromReplica, receive, lambda error: None)
        return channel


async def ours(order: dict[str, Any], sockets: list[socket.socket]) -> None:
    """Grant as the supervisor does: one key of the API's own limits, spent as fast as asked."""
    windows = (Window(requests=LIMIT, per_s=WINDOW_S), Window(requests=36_000, per_s=3600.0))
    api = Api(name="blizzard", windows=windows, hour="burst", **order["api"])
    await open_desk(api, ["client"], Path(order["journal"]), sockets)
    await asyncio.Event().wait()


async def run(order: dict[str, Any]) -> None:
    sockets = [socket.socket(fileno=fd) for fd in order["fds"]]
    await (ours(order, sockets) if order["name"] in OURS else Desk(order).run(sockets))


if __name__ == "__main__":
    uvloop.run(run(json.loads(sys.stdin.readline())))
