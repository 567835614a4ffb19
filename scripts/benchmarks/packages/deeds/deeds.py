"""Worker deeds: does what the job's arguments say, and keeps a diary of when it began.

    args ::= {"diary": FILE, "do": ACT, "seconds": s}        diary line ::= job, lease, pid, CLOCK_MONOTONIC

ACT    nothing (default)   sleep: for `seconds`      ask: one request to the API     hang: block the event loop
       die: SIGKILL of its own process               leave: exit 3 in the middle     keep: 100 MB for ever
"""

import asyncio
import os
import signal
import time
from typing import Any

from supervisor.worker.sdk import ClaimedJob, Done, Effect, Outcome, Retry, Work

KEPT_BYTES = 100_000_000
HEADERS = {"Battlenet-Namespace": "static-eu"}
_kept: list[bytes] = []


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Do the deed; its effect is committed with the completion."""
    _write(job)
    act = job.args.get("do", "")
    if act == "sleep":
        await asyncio.sleep(job.args["seconds"])
    elif act == "ask":
        answer = await work.client.get("/data/wow/item/1", headers=HEADERS)
        if answer.status >= 500:
            return Retry(error=f"HTTP {answer.status}")
    else:
        _misbehave(act, job.args)
    return Done(effects=[Effect("deed_done", [{"deed": job.parts["deed"]}])])


def _write(job: ClaimedJob) -> None:
    if "diary" not in job.args:
        return
    line = f"{job.id} {job.lease} {os.getpid()} {time.monotonic()}\n"
    fd = os.open(job.args["diary"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, line.encode())
    os.close(fd)


def _misbehave(act: str, arguments: dict[str, Any]) -> None:
    if act == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if act == "leave":
        os._exit(3)
    if act == "hang":
        time.sleep(arguments["seconds"])
    if act == "keep":
        _kept.append(b"x" * KEPT_BYTES)
