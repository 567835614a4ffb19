"""SAQ, for `recovery --peers`: python saq_worker.py give|work REDIS_SOCKET DIARY N SECONDS.

give: enqueue N jobs of so many seconds. work: be a worker for two at a time. As shipped, but for retries = 3: with
SAQ's default of 1 a job whose worker died is aborted by the sweep and never runs again.
"""

import asyncio
import os
import sys
import time
from typing import Any

from redis.asyncio import Redis
from saq import Worker
from saq.queue.redis import RedisQueue

ROLE, SOCKET, DIARY, N, SECONDS = sys.argv[1:6]


def note(word: str, job: int) -> None:
    fd = os.open(DIARY, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, f"{word} {job} {os.getpid()} {time.monotonic()}\n".encode())
    os.close(fd)


async def rest(context: Any, *, job: int) -> None:
    note("began", job)
    await asyncio.sleep(float(SECONDS))
    note("ended", job)


async def give() -> None:
    queue = RedisQueue(Redis(unix_socket_path=SOCKET))
    for job in range(int(N)):
        await queue.enqueue("rest", job=job, retries=3)
    await queue.disconnect()


async def work() -> None:
    queue = RedisQueue(Redis(unix_socket_path=SOCKET))
    await Worker(queue, [rest], concurrency=2).start()


asyncio.run(give() if ROLE == "give" else work())
