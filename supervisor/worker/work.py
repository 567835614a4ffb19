"""What a running job holds: its client, its database face, its turn for big bodies. Implements `sdk.Work`."""

import fcntl
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError
from supervisor.core.job import ClaimedJob, Effect, NewJob
from supervisor.core.messages.replica_database import Rows, Stage
from supervisor.worker.brake import Brakes
from supervisor.worker.client import HttpClient
from supervisor.worker.ledger import Ledger
from supervisor.worker.measures import Measures

MAX_CHUNK = 500
BIG_BODY_LOOK_EVERY_S = 0.05
BIG_BODY_WAIT_S = 240.0


class RunningJob:
    """One run of one job."""

    def __init__(
        self,
        *,
        job: ClaimedJob,
        client: HttpClient,
        ledger: Ledger,
        api: Mapping[str, Any],
        brakes: Brakes,
        measures: Measures,
        clock: Clock,
        run_dir: Path,
    ) -> None:
        self.client = client
        self.clock = clock
        self.api = api
        self._job = job
        self._ledger = ledger
        self._brakes = brakes
        self._measures = measures
        self._run_dir = run_dir

    def is_braked(self, endpoint: str) -> bool:
        """See `sdk.Work`."""
        return self._brakes.is_on(endpoint)

    def parsed(self, endpoint: str, ok: bool) -> None:
        """See `sdk.Work`."""
        self._measures.parsed(endpoint, ok)

    async def rows(self, statement: str, rows: list[dict[str, Any]]) -> None:
        """See `sdk.Work`."""
        for start in range(0, len(rows), MAX_CHUNK):
            effect = Effect(statement, rows[start : start + MAX_CHUNK])
            await self._ledger.insist(lambda call, e=effect: Rows(call, self._job.id, self._job.lease, e))  # type: ignore[misc]  # mypy cannot type a default in a lambda

    async def stage(self, jobs: list[NewJob]) -> None:
        """See `sdk.Work`."""
        for start in range(0, len(jobs), MAX_CHUNK):
            chunk = jobs[start : start + MAX_CHUNK]
            await self._ledger.insist(lambda call, c=chunk: Stage(call, self._job.id, self._job.lease, c))  # type: ignore[misc]  # as above

    async def big_body(self) -> AbstractAsyncContextManager[None]:
        """See `sdk.Work`."""
        return self._big_body_turn()

    @asynccontextmanager
    async def _big_body_turn(self) -> AsyncIterator[None]:
        # A lock file, because the turn is the machine's, not the replica's, and the kernel frees it
        # with its holder. Polled, because a blocking flock in a thread could not be cancelled.
        descriptor = os.open(self._run_dir / "big-body.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    async def _lock(self, descriptor: int) -> None:
        deadline = self.clock.monotonic() + BIG_BODY_WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                now = self.clock.monotonic()
                if now >= deadline:
                    raise UnavailableError(f"no turn for a big body within {BIG_BODY_WAIT_S:g} s") from error
                await self.clock.sleep_until(now + BIG_BODY_LOOK_EVERY_S)
