"""The one autoscaler: looks at queue and keys, moves the concurrency in force, remembers and explains it.

    apply(config) ─▶ run: look ten times a second, decide once a second ─▶ cancelled

The file stays what a person has written. What is moved here lives in state_dir/overrides.toml (`settings/moves.py`)
and survives a restart. A person's new number in the file, or the same one said again (`restart`), ends the move: it
goes on from there. Decisions are in `autoscale.py`; this file only carries them out.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError
from supervisor.core.events import Events
from supervisor.pools import autoscale
from supervisor.pools.alerts import Alert, AlertAnswer, AlertBook
from supervisor.pools.autoscale import Decision, decide
from supervisor.pools.course import Course, begin, fixed_by
from supervisor.pools.looks import Look
from supervisor.pools.statistics import AutoscaleStatistics
from supervisor.settings.config import Autoscale, Config, Worker
from supervisor.settings.moves import Moved
from supervisor.settings.overrides import Overrides

LOOK_EVERY_S = 0.1
LOOKS_FOR_A_DECISION = 10


class Plant(Protocol):
    """What is looked at and moved."""

    def look(self, worker: str) -> Look:
        """Return how the worker's queue and keys stand now."""
        ...

    def ready_replicas(self, worker: str) -> int:
        """Return how many replicas work."""
        ...

    def set_concurrency(self, worker: str, concurrency: int | None) -> None:
        """Put `concurrency` in force in each replica, in place; None = as configured."""
        ...


class Autoscaler:
    """Every worker that has [workers.X.autoscale] or concurrency = "auto"."""

    def __init__(self, *, config: Config, clock: Clock, events: Events, overrides: Overrides, plant: Plant) -> None:
        self._clock = clock
        self._events = events
        self._overrides = overrides
        self._plant = plant
        self._book = AlertBook(overrides.alerts)
        self._courses: dict[str, Course] = {}
        self._config = config
        self._looks_taken = 0
        self._is_frozen = self._cannot_save = False
        self.apply(config)

    def freeze(self) -> None:
        """Move nothing any more: in a drain, requests without an answer say nothing about the API."""
        self._is_frozen = True

    async def run(self) -> None:
        """Look and decide until frozen or cancelled."""
        while not self._is_frozen:
            await self._clock.sleep_until(self._clock.monotonic() + LOOK_EVERY_S)
            self.run_once()
            if self._overrides.is_dirty:
                await self._save()

    def run_once(self) -> None:
        """Take one look at every worker; decide when enough have been taken."""
        now = self._clock.monotonic()
        for course in self._courses.values():
            self._look(course, now)
        self._looks_taken += 1
        if self._looks_taken % LOOKS_FOR_A_DECISION == 0:
            for alert in self._book.silent(self._clock.wall()):
                self._end(alert.id, alert.worker)
            for course in self._courses.values():
                self._consider(course)

    def apply(self, config: Config) -> None:
        """Follow a new configuration, at once: bounds hold, and where a person wrote another number that is it."""
        self._config = config
        kept = self._overrides.moves
        for name in list(self._courses):
            if name not in config.workers:
                self._book.forget(name)
            if name not in config.workers or config.workers[name].autoscale is None:
                self._book.settle(name)
                del self._courses[name]
                self._plant.set_concurrency(name, None)
        for worker in config.workers.values():
            if worker.autoscale is not None:
                self._follow(worker, worker.autoscale, kept.get(worker.name))
        self._keep()

    def restart(self, worker: str) -> None:
        """Start again from the written number: a person has just said that this is what shall hold."""
        settings = self._config.workers.get(worker)
        if worker in self._courses and settings is not None and settings.written_concurrency != "auto":
            self._begin_anew(settings)
            self._keep()

    def take_alerts(self, alerts: Iterable[Alert]) -> list[AlertAnswer]:
        """Count alerts and say of each what is done and why; what cannot be done now is done when it can."""
        answers = [self._take(alert) for alert in alerts]
        self._keep()
        for answer in answers:
            self._events.emit(
                "alert_taken",
                worker=answer.alert.worker,
                alert=answer.alert.name,
                status="firing" if answer.alert.is_firing else "resolved",
                action=answer.action,
                why=answer.why,
                level="warning" if answer.action == "ignored" else "info",
            )
        return answers

    def statistics(self) -> dict[str, AutoscaleStatistics]:
        """Return how each worker under autoscale stands."""
        return {name: self._statistics(course) for name, course in self._courses.items()}

    def _follow(self, worker: Worker, bounds: Autoscale, kept: Moved | None) -> None:
        course = self._courses.get(worker.name)
        if course is None:
            self._courses[worker.name] = begin(self._config, worker, kept, self._clock.monotonic())
        elif course.written != worker.written_concurrency:
            self._begin_anew(worker)
        course = self._courses[worker.name]
        course.bounds = bounds
        course.fixed = fixed_by(self._config, worker)
        self._plant.set_concurrency(worker.name, course.concurrency)
        self._consider(course)

    def _begin_anew(self, worker: Worker) -> None:
        moves = self._courses[worker.name].moves
        self._book.settle(worker.name)
        course = self._courses[worker.name] = begin(self._config, worker, None, self._clock.monotonic())
        course.moved_at = self._clock.monotonic()
        course.moves = moves
        self._plant.set_concurrency(worker.name, course.concurrency)

    def _look(self, course: Course, now: float) -> None:
        replicas = self._plant.ready_replicas(course.worker)
        if replicas != course.replicas or course.fixed:
            course.replicas = replicas
            course.looks.restart(now)
            return
        course.looks.add(self._plant.look(course.worker), now)

    def _consider(self, course: Course) -> Decision:
        asking = None if course.bounds.auto else self._book.unserved(course.worker)
        seen = course.observe(
            self._clock.monotonic(), self._book.lifted(course.worker), asking.name if asking is not None else ""
        )
        decision = decide(seen)
        by_alert = asking is not None and decision.cause == autoscale.WANTED
        who = f"alert {asking.name}" if asking is not None and by_alert else "autoscale"
        if not course.take(decision, seen, who, self._clock.wall()):
            return decision
        if asking is not None and by_alert:
            self._book.serve(asking.id, decision.concurrency - seen.concurrency)
        self._plant.set_concurrency(course.worker, course.concurrency)
        self._events.emit(
            "concurrency_moved",
            worker=course.worker,
            before=seen.concurrency,
            after=course.concurrency,
            cause=decision.cause,
            who=who,
            why=decision.why,
        )
        self._keep()
        return decision

    def _take(self, alert: Alert) -> AlertAnswer:
        worker = self._config.workers.get(alert.worker)
        if worker is None:
            known = ", ".join(sorted(self._config.workers))
            why = f"names no worker in a label worker or queue; there are {known}"
            return AlertAnswer(alert=alert, action="ignored", why=why)
        course = self._courses.get(alert.worker)
        if course is None:
            why = f"{alert.worker} has no [workers.{alert.worker}.autoscale], so nothing may move it"
            return AlertAnswer(alert=alert, action="ignored", why=why)
        before = course.concurrency
        action, why = self._fire(alert, course) if alert.is_firing else self._end(alert.id, alert.worker)
        return AlertAnswer(alert=alert, action=action, why=why, before=before, after=course.concurrency)

    def _fire(self, alert: Alert, course: Course) -> tuple[str, str]:
        if not self._book.fire(alert, self._clock.wall()):
            return "counted", "it has been counted before; repeats change nothing"
        if course.bounds.auto:
            return "none", 'concurrency = "auto" follows queue and keys without alerts'
        first = self._book.unserved(course.worker)
        if first is not None and first.id != alert.id:
            return "waits", f"behind alert {first.name}: one step at a time"
        before = course.concurrency
        decision = self._consider(course)
        return "moved" if course.concurrency > before else "waits", decision.why

    def _end(self, id: str, worker: str) -> tuple[str, str]:
        lifted = self._book.resolve(id, self._clock.wall())
        course = self._courses.get(worker)
        if not lifted or course is None:
            return "none", "it had moved nothing"
        course.owed += lifted
        before = course.concurrency
        decision = self._consider(course)
        return "moved" if course.concurrency < before else "waits", decision.why

    async def _save(self) -> None:
        """Write moves and alerts down. A disk without room is said once, and tried again with the next look."""
        try:
            await asyncio.to_thread(self._overrides.save)
            self._cannot_save = False
        except UnavailableError as error:
            if not self._cannot_save:
                self._events.emit("moves_not_kept", error=str(error), level="warning")
            self._cannot_save = True

    def _keep(self) -> None:
        moves = {name: course.kept() for name, course in self._courses.items()}
        self._overrides.keep({name: moved for name, moved in moves.items() if moved is not None}, self._book.all())

    def _statistics(self, course: Course) -> AutoscaleStatistics:
        return AutoscaleStatistics(
            concurrency=course.concurrency,
            written=course.written,
            min=course.bounds.min,
            max=course.bounds.max,
            who=course.who,
            why=course.why,
            since=course.since,
            note=course.note,
            alerts=tuple(alert.name for alert in self._book.firing(course.worker)),
            moves=dict(course.moves),
        )
