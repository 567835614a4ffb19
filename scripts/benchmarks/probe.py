"""A job module that feels what a replica feels: round trips of permits, claims and finishes, several times a second.

It runs in a replica of its own that the supervisor forks like any other, and asks with the replica's own
classes. One job measures until its stop file is there, then writes

    {"permits": [[moment, seconds], …], "claims": […], "finishes": […]}        moment: wall seconds

args: out, stop: paths. ledger: a worker with jobs to claim whose own replicas are paused. every_s: pause
between two measurements. Permits are given back unsent, so they cost no request.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from supervisor.core.job import Effect
from supervisor.core.messages.replica_database import Finish
from supervisor.worker.ledger import Ledger
from supervisor.worker.sdk import ClaimedJob, Done, Outcome, Work

# A row of the shared package, so that a finish writes more than its own job.
EFFECTS = [Effect("character_attempt", [{"status_checked": False}])]


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Measure until told to stop."""
    probe = Probe(job, work)
    stop = Path(job.args["stop"])
    async with asyncio.TaskGroup() as group:
        loops = [group.create_task(each) for each in (probe.permits(), probe.ledger())]
        while not is_told(stop):  # noqa: ASYNC110 - from outside nothing but a file reaches a running job
            await asyncio.sleep(0.1)
        for loop in loops:
            loop.cancel()
    write(Path(job.args["out"]), probe.trips)
    return Done(note="measured")


class Probe:
    """The two loops and what they saw."""

    def __init__(self, job: ClaimedJob, work: Work) -> None:
        self._job = job
        self._work = work
        self._every_s = float(job.args["every_s"])
        self.trips: dict[str, list[tuple[float, float]]] = {"permits": [], "claims": [], "finishes": []}

    async def permits(self) -> None:
        """Ask for a further permit of this job, and give it back."""
        # The client's own way to a permit: nothing public ends before the request is sent.
        acquire = self._work.client._acquire  # type: ignore[attr-defined]
        while True:
            permit = await self._timed("permits", lambda: acquire(""))
            permit.not_sent()
            await asyncio.sleep(self._every_s)

    async def ledger(self) -> None:
        """Claim a job and finish it, as one more replica of the worker `ledger`."""
        worker = str(self._job.args["ledger"])
        socket = str(self._job.args["database"])
        ledger = Ledger(
            socket=socket, replica=f"{worker}#probe", worker=worker, clock=self._work.clock, random=Random()
        )
        connected = asyncio.create_task(ledger.run())
        try:
            while True:
                claimed = await self._timed("claims", lambda: ledger.claim(1))
                for job in claimed.jobs:
                    await self._timed("finishes", partial(ledger.end, job.lease, partial(finish, job=job)))
                await asyncio.sleep(self._every_s)
        finally:
            connected.cancel()

    async def _timed(self, what: str, act: Callable[[], Awaitable[Any]]) -> Any:
        wall, began = self._work.clock.wall(), self._work.clock.monotonic()
        result = await act()
        self.trips[what].append((wall, self._work.clock.monotonic() - began))
        return result


def is_told(stop: Path) -> bool:
    return stop.exists()


def write(path: Path, trips: dict[str, list[tuple[float, float]]]) -> None:
    path.write_text(json.dumps(trips))


def finish(call: int, job: ClaimedJob) -> Finish:
    """Return the end of a job that changed a row."""
    return Finish(call=call, job=job.id, lease=job.lease, outcome="done", effects=EFFECTS)
