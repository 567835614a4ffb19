"""Enqueue by the clock: every so often, or by cron.

A slot is a moment of a schedule (wall seconds). (schedule, slot) is unique and written in one transaction
with its job, so a slot fires once, whatever restarts. Slots missed collapse into the latest one. A new
`every` fires at once; a new `cron` waits for its next slot, because "03:00" added at noon means tomorrow.
"""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from supervisor.core.clock import Clock
from supervisor.core.database_settings import ScheduleSettings
from supervisor.core.errors import UsageError
from supervisor.core.job import NewJob
from supervisor.database.disk import DiskWatch
from supervisor.database.enqueueing import enqueue
from supervisor.database.loops import Note
from supervisor.database.statements import engine_sql
from supervisor.database.workers import Workers
from supervisor.database.writer import Writer

LOOK_EVERY_S = 30.0
SLOTS_KEPT_S = 30 * 86400.0
# A clock that is set back by less fires nothing until it is there again; by more, it was wrong before.
CLOCK_SET_BACK_S = 86400.0
NEVER = float("-inf")

_LAST = engine_sql("last_slot")
_RECORD = engine_sql("record_slot")
_FORGET = engine_sql("forget_slots")


def latest_slot(schedule: ScheduleSettings, now: float) -> float:
    """Return the last moment ≤ now (wall seconds) at which the schedule fires; `every` counts from 1970.

    UsageError: a cron expression or time zone that cannot be read or never comes.
    """
    if schedule.every_s is not None:
        return now // schedule.every_s * schedule.every_s
    # CronSim backwards is exclusive, so it starts a second later.
    return _cron(schedule, int(now) + 1.0, backwards=True)


def next_slot(schedule: ScheduleSettings, now: float) -> float:
    """Return the first moment > now. UsageError as in latest_slot."""
    if schedule.every_s is not None:
        return (now // schedule.every_s + 1) * schedule.every_s
    return _cron(schedule, now, backwards=False)


def fire(connection: sqlite3.Connection, now: float, *, name: str, slot: float, row: Mapping[str, Any]) -> int | None:
    """Enqueue the slot's job unless the slot, or a later one, has fired; return the job's id."""
    if _last(connection, now, name) >= slot:
        return None
    job = enqueue(connection, now, row).id
    _record(connection, now, name, slot, job)
    return job


def skip_past(connection: sqlite3.Connection, now: float, *, name: str, slot: float) -> bool:
    """Note the slot as past if the schedule has never been seen; tell whether it was new."""
    if _last(connection, now, name) > NEVER:
        return False
    _record(connection, now, name, slot, None)
    return True


class Scheduler:
    """Fire what is due. is_stopped: set for a drain; a full disk stops it too."""

    def __init__(self, writer: Writer, workers: Workers, disk: DiskWatch, clock: Clock, note: Note) -> None:
        self._writer = writer
        self._workers = workers
        self._disk = disk
        self._clock = clock
        self._note = note
        self._schedules: list[ScheduleSettings] = []
        self.is_stopped = False

    def apply(self, schedules: list[ScheduleSettings]) -> None:
        """Replace the schedules."""
        self._schedules = schedules

    async def run_once(self) -> float:
        """Fire each schedule's latest slot; return when the next one comes."""
        wait_s = LOOK_EVERY_S
        is_quiet = self.is_stopped or self._disk.background_stopped
        for schedule in [] if is_quiet else self._schedules:
            try:
                await self._fire(schedule)
                wait_s = min(wait_s, next_slot(schedule, self._clock.wall()) - self._clock.wall())
            except UsageError as error:
                self._note("schedule_refused", schedule=schedule.name, reason=str(error))
        return self._clock.monotonic() + max(0.0, wait_s)

    async def _fire(self, schedule: ScheduleSettings) -> None:
        slot = latest_slot(schedule, self._clock.wall())
        if schedule.cron is not None:
            is_new = await self._writer.do(partial(skip_past, name=schedule.name, slot=slot))
            if is_new:
                return
        job = NewJob(
            worker=schedule.worker,
            entity="",
            args=schedule.args,
            priority=schedule.priority,
            provenance=f"schedule {schedule.name}",
        )
        row = self._workers.prepare(job)
        fired = await self._writer.do(partial(fire, name=schedule.name, slot=slot, row=row))
        if fired is not None:
            self._note("schedule_fired", schedule=schedule.name, job=fired, slot=slot)


def _cron(schedule: ScheduleSettings, start: float, *, backwards: bool) -> float:
    try:
        moment = datetime.fromtimestamp(start, ZoneInfo(schedule.tz))
        slot = next(CronSim(schedule.cron or "", moment, backwards), None)
    except (CronSimError, ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"schedules.{schedule.name}: cron {schedule.cron!r} in {schedule.tz}: {error}") from error
    if slot is None:
        raise UsageError(f"schedules.{schedule.name}: cron {schedule.cron!r} never comes")
    return slot.timestamp()


def _last(connection: sqlite3.Connection, now: float, name: str) -> float:
    last = connection.execute(_LAST, {"name": name, "believed": now + CLOCK_SET_BACK_S}).fetchone()[0]
    return NEVER if last is None else float(last)


def _record(connection: sqlite3.Connection, now: float, name: str, slot: float, job: int | None) -> None:
    connection.execute(_RECORD, {"name": name, "slot": slot, "job": job, "now": now})
    connection.execute(_FORGET, {"name": name, "before": slot - SLOTS_KEPT_S, "slot": slot})
