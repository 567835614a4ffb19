"""Bounded concurrency: so many slots, each turning permit → claim → run.

    1. ask for a start permit (granted only while the worker has a claimable job)
    2. claim one job; nothing there = the permit goes back unsent
    3. run it to its finish
The permit of a kind that sends no request is endless: then 2 and 3 are repeated until nothing is there, and each claim
leaves with the finish of the job before.

Slots are added and taken away while the others work; a slot that works is never disturbed by that.
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import NamedTuple

from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError
from supervisor.core.job import ClaimedJob, Priority
from supervisor.core.messages.replica_supervisor import TIMEOUT_WAITING
from supervisor.worker.claimer import Claimer
from supervisor.worker.permits import Permit, PermitRefused, Permits
from supervisor.worker.runner import Runner

START_WAIT_S = 60.0
PAUSE_AFTER_REFUSAL_S = 1.0
# Mostly the database is being restarted; until it is back no start permit comes anyway.
PAUSE_WITHOUT_DATABASE_S = 0.1
DRAIN_LOOK_EVERY_S = 0.05


class _Claim(NamedTuple):
    """A job that is asked for. asked_at: monotonic."""

    asked_at: float
    job: "asyncio.Future[ClaimedJob | None]"


class Slots:
    """The slots of one replica."""

    def __init__(self, *, permits: Permits, claimer: Claimer, runner: Runner, clock: Clock, random: Random) -> None:
        self._permits = permits
        self._claimer = claimer
        self._runner = runner
        self._clock = clock
        self._random = random
        self._concurrency = 0
        self._drain_by: float | None = None
        self._waiting: set[asyncio.Task[None]] = set()
        self._working: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._last_number = 0

    @property
    def executing(self) -> int:
        """Return the number of jobs that run now."""
        return len(self._working)

    @property
    def concurrency(self) -> int:
        """Return how many jobs may run at once from now on."""
        return self._concurrency

    def resize(self, concurrency: int) -> None:
        """Have `concurrency` slots from now on; surplus ones go when they are idle."""
        self._concurrency = concurrency
        self._changed.set()

    async def run(self) -> None:
        """Keep the slots until drained and empty."""
        async with asyncio.TaskGroup() as group:
            while not (self._drain_by is not None and not self._waiting and not self._working):
                self._changed.clear()
                self._converge(group)
                await self._changed.wait()

    async def drain(self, deadline: float) -> None:
        """Start nothing new; give back what still runs at `deadline` (monotonic seconds).

        A second call with an earlier deadline shortens the first.
        """
        self._drain_by = deadline if self._drain_by is None else min(deadline, self._drain_by)
        self.resize(0)
        while self._working and self._clock.monotonic() < self._drain_by:
            next_look = min(self._drain_by, self._clock.monotonic() + DRAIN_LOOK_EVERY_S)
            await self._clock.sleep_until(next_look)
        for task in self._working:
            task.cancel()

    def _converge(self, group: asyncio.TaskGroup) -> None:
        live = len(self._waiting) + len(self._working)
        for _ in range(self._concurrency - live):
            self._last_number += 1
            task = group.create_task(self._slot(), name=f"slot-{self._last_number}")
            self._waiting.add(task)
            task.add_done_callback(self._ended)
        for task in list(self._waiting)[: max(0, live - self._concurrency)]:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._waiting.discard(task)
        self._working.discard(task)
        self._changed.set()

    async def _slot(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        while self._has_place():
            permit = await self._start_permit()
            if permit is None:
                continue
            self._waiting.discard(task)
            self._working.add(task)
            with permit:
                await self._turn(permit)
            self._working.discard(task)
            self._waiting.add(task)
            self._changed.set()

    def _has_place(self) -> bool:
        """Tell whether no slot is too many."""
        return len(self._waiting) + len(self._working) <= self._concurrency

    async def _start_permit(self) -> Permit | None:
        deadline = self._clock.monotonic() + START_WAIT_S
        try:
            return await self._permits.acquire(start=True, priority=Priority.BACKGROUND, deadline=deadline)
        except PermitRefused as error:
            if error.why != TIMEOUT_WAITING:
                await self._pause(PAUSE_AFTER_REFUSAL_S)
            return None

    async def _turn(self, permit: Permit) -> None:
        """Claim a job and run it; with an endless permit one after the other, until there is none."""
        claim: _Claim | None = self._claim()
        while claim is not None:
            job = await self._claimed(claim, permit)
            claim = None if job is None else await self._run(job, permit, claim.asked_at)

    def _claim(self) -> "_Claim":
        return _Claim(self._clock.monotonic(), self._claimer.claim())

    async def _claimed(self, claim: "_Claim", permit: Permit) -> ClaimedJob | None:
        try:
            job = await asyncio.shield(claim.job)
        except UnavailableError:
            permit.not_sent()
            await self._pause(PAUSE_WITHOUT_DATABASE_S)
            return None
        except asyncio.CancelledError:
            permit.not_sent()
            await self._give_back(claim)
            raise
        if job is None:
            permit.not_sent()
        return job

    async def _run(self, job: ClaimedJob, permit: Permit, asked_at: float) -> "_Claim | None":
        """Run `job`; return the claim of the next one if this slot goes on. It leaves together with the finish."""
        following: list[_Claim] = []

        def ask_for_the_next() -> None:
            if permit.is_endless and self._has_place():
                following.append(self._claim())

        try:
            await self._runner.run_job(job, permit, asked_at, ask_for_the_next)
        except asyncio.CancelledError:
            for claim in following:
                await self._give_back(claim)
            raise
        return following[0] if following else None

    async def _give_back(self, claim: "_Claim") -> None:
        with suppress(UnavailableError):
            job = await claim.job
            if job is not None:
                await self._runner.give_back(job)

    async def _pause(self, about_s: float) -> None:
        wait_s = about_s * self._random.uniform(0.5, 1.5)
        await self._clock.sleep_until(self._clock.monotonic() + wait_s)
