"""A process of `scripts/bench permits`: several connections that take permits and give them back.

Each is what a replica has: the channel of `core/wire.py` and the permits of `worker/permits.py`, on its
own Unix socket. Between grant and release lies one turn of the loop, so a release never shares a write
with the acquire that follows it: it arrives on its own, as it does from a replica.

    stdin    {"fds": [5, 6], "outstanding": 1, "per_s": 0, "start": 12.5, "stop": 16.5}
    stdout   {"pairs": 40211, "waits_s": [...], "cpu_s": 3.1}

per_s: pairs a second of each connection, at random moments; 0 = as fast as `outstanding` waits allow.
start, stop: monotonic seconds between which pairs are counted.
"""

import asyncio
import json
import resource
import socket
import sys
import time
from random import Random
from typing import Any

import uvloop

from supervisor.core.clock import SystemClock
from supervisor.core.messages.replica_supervisor import ToReplica
from supervisor.core.wire import Channel
from supervisor.worker.permits import Permits

WAIT_S = 30.0
MAX_SAMPLES = 20_000
BACKGROUND = 2


class Client:
    """One connection and its counts."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._clock = SystemClock()
        self._channel = Channel(ToReplica, lambda message: self._permits.receive(message), lambda error: None)
        self._permits = Permits(self._channel.send, self._clock)
        self.pairs = 0
        self.waits_s: list[float] = []

    async def run(self, fd: int) -> None:
        """Take and give back until `stop`."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self._channel, sock=socket.socket(fileno=fd))
        async with asyncio.TaskGroup() as group:
            if self._order["per_s"]:
                await self._paced(group, Random(fd))
            else:
                for _ in range(self._order["outstanding"]):
                    group.create_task(self._endless())
        self._channel.close()

    async def _endless(self) -> None:
        while time.monotonic() < self._order["stop"]:
            await self._pair()

    async def _paced(self, group: asyncio.TaskGroup, random: Random) -> None:
        """Ask at moments of their own, whatever the answers do: a slow answer must not thin out the questions."""
        at = time.monotonic()
        while at < self._order["stop"]:
            at += random.expovariate(self._order["per_s"])
            await self._clock.sleep_until(at)
            group.create_task(self._pair())

    async def _pair(self) -> None:
        asked = time.monotonic()
        permit = await self._permits.acquire(start=False, priority=BACKGROUND, deadline=asked + WAIT_S, region="eu")
        granted = time.monotonic()
        await asyncio.sleep(0)
        permit.answered(200, 0.05)
        if self._order["start"] <= asked and granted < self._order["stop"]:
            self.pairs += 1
            if len(self.waits_s) < MAX_SAMPLES:
                self.waits_s.append(granted - asked)


async def run(order: dict[str, Any]) -> None:
    clients = [Client(order) for _ in order["fds"]]
    watch = asyncio.create_task(cpu_between(order["start"], order["stop"]))
    await asyncio.gather(*(client.run(fd) for client, fd in zip(clients, order["fds"], strict=True)))
    waits_s = [wait_s for client in clients for wait_s in client.waits_s]
    pairs = sum(client.pairs for client in clients)
    print(json.dumps({"pairs": pairs, "waits_s": waits_s, "cpu_s": await watch}))


async def cpu_between(start: float, stop: float) -> float:
    """Return the CPU seconds of this process between two moments."""
    used = []
    for at in (start, stop):
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        used.append(usage.ru_utime + usage.ru_stime)
    return used[1] - used[0]


if __name__ == "__main__":
    uvloop.run(run(json.load(sys.stdin)))
