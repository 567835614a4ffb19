"""Claim for many slots at once: one call in flight, and all who waited meanwhile share the next."""

import asyncio

from supervisor.core.errors import UnavailableError
from supervisor.core.job import ClaimedJob
from supervisor.worker.ledger import Ledger


class Claimer:
    """Hand claimed jobs to slots, first come first served."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[asyncio.Future[ClaimedJob | None]] = []
        self._wanted = asyncio.Event()

    def claim(self) -> "asyncio.Future[ClaimedJob | None]":
        """Return the promise of a job under lease; None = nothing waits, UnavailableError = database away.

        Await it shielded: a slot that is cancelled must not drop a job that is already leased to us.
        """
        future: asyncio.Future[ClaimedJob | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._wanted.set()
        return future

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            waiting, self._waiting = self._waiting, []
            await self._claim_for(waiting)

    async def _claim_for(self, waiting: list[asyncio.Future[ClaimedJob | None]]) -> None:
        try:
            claimed = await self._ledger.claim(len(waiting))
        except UnavailableError as error:
            for future in waiting:
                future.set_exception(error)
            return
        jobs: list[ClaimedJob | None] = list(claimed.jobs)
        jobs += [None] * (len(waiting) - len(jobs))
        for future, job in zip(waiting, jobs, strict=True):
            future.set_result(job)
