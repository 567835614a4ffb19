"""A process that stands for the way to the API: a TCP proxy with delay, jitter and stalls.

    stdin    {"port": 40123, "seed": 1, "stalls": [[8.0, 0.7, "up"]]}
    stdout   {"port": 41234}

port: where the API listens. stalls: [seconds after the first connection, seconds long, "up" or "down"]: what is
under way in that direction arrives when the stall ends, all at once. Each direction of a connection
delays what it reads by BASE_S / 2 and an exponential share of JITTER_S, and keeps the order.
"""

import asyncio
import json
import sys
import time
from random import Random
from typing import Any

import uvloop

BASE_S = 0.040
JITTER_S = 0.030
READ_BYTES = 65536


class Path:
    """The way in both directions."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._random = Random(order["seed"])
        self._began = 0.0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._began = self._began or time.monotonic()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._order["port"])
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer, "up"))
                group.create_task(self._carry(far_reader, writer, "down"))
        except* OSError:
            pass
        finally:
            writer.close()
            far_writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str) -> None:
        loop = asyncio.get_running_loop()
        arrives_at = 0.0
        while data := await reader.read(READ_BYTES):
            arrives_at = max(arrives_at, self._arrival(direction))
            loop.call_at(arrives_at, writer.write, data)
        await asyncio.sleep(max(0.0, arrives_at - time.monotonic()))
        writer.close()

    def _arrival(self, direction: str) -> float:
        """Return when what leaves now arrives; the loop's clock is the monotonic one."""
        at = time.monotonic() + BASE_S / 2 + self._random.expovariate(2 / JITTER_S)
        for offset, long_s, stalled in self._order["stalls"]:
            start = self._began + offset
            if stalled == direction and start <= at < start + long_s:
                return float(start + long_s)
        return at


async def run(order: dict[str, Any]) -> None:
    server = await asyncio.start_server(Path(order).accept, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(run(json.loads(sys.stdin.readline())))
