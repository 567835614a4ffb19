"""SAQ, for `scripts/bench queue`: python noops_saq.py give|work REDIS_SOCKET FOLDER N AT_ONCE.

give: enqueue N no-ops. work: say that it is ready, wait for the word to go, then be a worker. As shipped.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from saq import Worker
from saq.queue.redis import RedisQueue

ROLE, SOCKET, FOLDER, N, AT_ONCE = sys.argv[1:6]
ENQUEUED_AT_ONCE = 50


async def noop(context: Any, *, noop: int) -> None:
    pass


async def give() -> None:
    queue = RedisQueue(Redis(unix_socket_path=SOCKET))
    for first in range(0, int(N), ENQUEUED_AT_ONCE):
        numbers = range(first, min(first + ENQUEUED_AT_ONCE, int(N)))
        await asyncio.gather(*(queue.enqueue("noop", noop=number) for number in numbers))
    await queue.disconnect()


async def work() -> None:
    queue = RedisQueue(Redis(unix_socket_path=SOCKET))
    await Worker(queue, [noop], concurrency=int(AT_ONCE)).start()


def wait_for_go() -> None:
    (Path(FOLDER) / f"ready-{os.getpid()}").touch()
    while not (Path(FOLDER) / "go").exists():
        time.sleep(0.01)


if ROLE == "give":
    asyncio.run(give())
else:
    wait_for_go()
    asyncio.run(work())
