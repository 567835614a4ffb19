"""Run one job: from its lease to its finish."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.core.job import ClaimedJob, Discard, Outcome, Retry, Snooze
from supervisor.core.messages.replica_database import GiveBack
from supervisor.worker.brake import Brakes
from supervisor.worker.client import HttpClient
from supervisor.worker.finishing import finish, name_of, problem_of
from supervisor.worker.ledger import Ledger, NoRoom, StoreFailed
from supervisor.worker.measures import Measures
from supervisor.worker.permits import Permit, Permits
from supervisor.worker.sdk import RequestFailed, Work
from supervisor.worker.work import RunningJob

JOB_DEADLINE_S = 900.0
GIVE_BACK_WITHIN_S = 3.0
IDLE_PAUSE_S = 1.0
"""After a job that put itself off without having asked anything: the next one will most likely do the same."""
# The disk is looked at more often; but what was fetched is fetched again, so not at once.
NO_ROOM_S = 60.0

Run = Callable[[ClaimedJob, Work], Awaitable[Outcome]]


class Runner:
    """Run jobs of one replica. Holds what all its jobs share."""

    def __init__(
        self,
        *,
        run: Run,
        session: aiohttp.ClientSession,
        permits: Permits,
        ledger: Ledger,
        measures: Measures,
        clock: Clock,
        events: Events,
        run_dir: Path,
        brakes: Brakes,
    ) -> None:
        self._run = run
        self._session = session
        self._permits = permits
        self._ledger = ledger
        self._measures = measures
        self._clock = clock
        self._events = events
        self._run_dir = run_dir
        self._brakes = brakes
        self.api: Mapping[str, Any] = {}

    async def run_job(
        self, job: ClaimedJob, permit: Permit, asked_at: float, has_run: Callable[[], None] = lambda: None
    ) -> None:
        """Run `job` to its finish; a cancel gives it back undone.

        asked_at: monotonic, when its claim was asked for. has_run: called when the job has an outcome, before the
        finish is sent: what it sends leaves with the finish.
        """
        client = self._client(job, permit)
        try:
            outcome = await self._outcome(job, client)
            client.close()
            has_run()
            await self._finish(job, outcome, client.requests)
        except asyncio.CancelledError:
            client.close()
            await self.give_back(job)
            raise
        seconds = self._clock.monotonic() - asked_at
        self._measures.finished(name_of(outcome), seconds, outcome.saved, problem_of(outcome))
        if isinstance(outcome, Snooze) and outcome.after_s > 0 and not client.requests:
            await self._clock.sleep_until(self._clock.monotonic() + IDLE_PAUSE_S)

    async def give_back(self, job: ClaimedJob) -> None:
        """Release `job` undone; when that does not arrive in time, the end of this replica does it."""
        try:
            async with asyncio.timeout(GIVE_BACK_WITHIN_S):
                await self._ledger.end(job.lease, lambda call: GiveBack(call, job.id, job.lease))
        except (TimeoutError, StoreFailed):
            self._events.emit("give_back_failed", job=job.id, entity=job.entity)

    def _client(self, job: ClaimedJob, permit: Permit) -> HttpClient:
        async def acquire(region: str, deadline: float, again: bool) -> Permit:
            return await self._permits.acquire(
                start=False, priority=job.priority, deadline=deadline, region=region, again=again
            )

        return HttpClient(
            session=self._session,
            api=self.api,
            acquire=acquire,
            first_permit=None if permit.is_endless else permit,
            clock=self._clock,
            measures=self._measures,
        )

    async def _outcome(self, job: ClaimedJob, client: HttpClient) -> Outcome:
        work = RunningJob(
            job=job,
            client=client,
            ledger=self._ledger,
            api=self.api,
            brakes=self._brakes,
            measures=self._measures,
            clock=self._clock,
            run_dir=self._run_dir,
        )
        try:
            async with asyncio.timeout(JOB_DEADLINE_S) as deadline:
                return await self._run(job, work)
        except RequestFailed as error:
            if error.snooze_s is not None:
                return Snooze(after_s=error.snooze_s, note=str(error))
            return Retry(error=str(error))
        except Exception as error:
            if is_for_want_of_room(error):
                return Snooze(after_s=NO_ROOM_S, note="no room on the disk for its rows")
            if deadline.expired():
                return Retry(error=f"did not end within {JOB_DEADLINE_S:g} s")
            # The top of a job: a bug in it must not end the replica and its other jobs.
            self._events.emit("job_raised", job=job.id, entity=job.entity, traceback=traceback.format_exc())
            return Retry(error=f"{type(error).__name__}: {error}")

    async def _finish(self, job: ClaimedJob, outcome: Outcome, requests: int) -> None:
        try:
            await self._ledger.end(job.lease, lambda call: finish(call, job, outcome, requests))
        except StoreFailed as error:
            # Its rows are refused for good: without them, so that the job is seen and not run for ever.
            refused = Discard(error=f"result not stored: {error}")
            self._events.emit("result_refused", job=job.id, entity=job.entity, error=str(error))
            await self._ledger.end(job.lease, lambda call: finish(call, job, refused, requests))


def is_for_want_of_room(error: BaseException) -> bool:
    """Tell whether a job ended because its rows were not taken, also when it sent them in a task group."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_for_want_of_room(each) for each in error.exceptions)
    return isinstance(error, NoRoom)
