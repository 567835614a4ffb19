"""A replica of `scripts/bench limiter`: requesters that always want to send, one HTTP session, one permit socket.

Everything but the limiter at the other end of the socket is Gatherer's own: channel, permits, HTTP client. A 429
takes another permit and goes on.

    stdin    {"fd": 5, "api": {...}, "path": "/…", "headers": {...}, "tasks": 32, "start": 12.5, "stop": 32.5}
    stdout   {"waits_s": [...]}         of the permits granted between start and stop
"""

import asyncio
import json
import socket
import sys
import time
from typing import Any

import uvloop

from supervisor.core.clock import SystemClock
from supervisor.core.messages.replica_supervisor import ToReplica
from supervisor.core.wire import Channel
from supervisor.worker.client import HttpClient, close_session, open_session
from supervisor.worker.measures import Measures
from supervisor.worker.permits import Permit, Permits
from supervisor.worker.sdk import RequestFailed

WAIT_S = 120.0
BACKGROUND = 2


class Replica:
    """The requesters of one process."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._clock = SystemClock()
        self._channel = Channel(ToReplica, self._receive, lambda error: None)
        self._permits = Permits(self._channel.send, self._clock)
        self.waits_s: list[float] = []

    async def run(self) -> None:
        ours = socket.socket(fileno=self._order["fd"])
        await asyncio.get_running_loop().create_unix_connection(lambda: self._channel, sock=ours)
        session = open_session()
        client = HttpClient(
            session=session,
            api=self._order["api"],
            acquire=self._acquire,
            first_permit=None,
            clock=self._clock,
            measures=Measures(),
        )
        async with asyncio.TaskGroup() as group:
            for _ in range(self._order["tasks"]):
                group.create_task(self._send(client))
        await close_session(session)

    async def _send(self, client: HttpClient) -> None:
        while time.monotonic() < self._order["stop"]:
            try:
                await client.get(self._order["path"], headers=self._order["headers"])
            except RequestFailed:
                continue

    async def _acquire(self, region: str, deadline: float, again: bool) -> Permit:
        asked = time.monotonic()
        permit = await self._permits.acquire(start=False, priority=BACKGROUND, deadline=asked + WAIT_S, region=region)
        granted = time.monotonic()
        if self._order["start"] <= granted < self._order["stop"]:
            self.waits_s.append(granted - asked)
        return permit

    def _receive(self, message: Any) -> None:
        self._permits.receive(message)


async def run(order: dict[str, Any]) -> None:
    replica = Replica(order)
    await replica.run()
    print(json.dumps({"waits_s": replica.waits_s}))


if __name__ == "__main__":
    uvloop.run(run(json.loads(sys.stdin.readline())))
