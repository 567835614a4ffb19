"""[schedules.NAME] and [freshness.WORKER] as values: what is done again, and when."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from supervisor.settings import units
from supervisor.settings.config import Freshness, Schedule, Tier
from supervisor.settings.report import nearest
from supervisor.settings.table import Table

PRIORITIES = ("urgent", "normal", "background")
CATCH_UP = ("latest",)

_MAX_WAITING = 1_000_000
_ANY_MOMENT = datetime(2024, 1, 1)
_BLANK = Schedule(name="", worker="")


def read_schedules(document: Table, workers: Collection[str]) -> dict[str, Schedule]:
    """Return [schedules.NAME]; workers: the names that exist."""
    return {name: _schedule(table, name, workers) for name, table in document.children("schedules").items()}


def read_freshness(document: Table, workers: Collection[str]) -> dict[str, Freshness]:
    """Return [freshness.WORKER]; workers: the names that exist."""
    found = {}
    for worker, table in document.children("freshness").items():
        blank = Freshness(worker=worker)
        if worker not in workers:
            table.report.problem(table.label, f"there is no [workers.{worker}]{nearest(worker, workers)}")
        keep_waiting = table.integer("keep_waiting", blank.keep_waiting, 1, _MAX_WAITING)
        found[worker] = Freshness(worker=worker, tiers=_tiers(table) or blank.tiers, keep_waiting=keep_waiting)
        table.close()
    return found


def _schedule(table: Table, name: str, workers: Collection[str]) -> Schedule:
    table.required("worker", '"index"')
    worker = table.name("worker", "")
    if worker and worker not in workers:
        table.problem("worker", f"there is no [workers.{worker}]{nearest(worker, workers)}")
    if table.has("every") == table.has("cron"):
        what = "stand together" if table.has("cron") else "are both missing"
        table.report.problem(table.label, f'every and cron {what}: use one, for example every = "10m"')
    schedule = Schedule(
        name=name,
        worker=worker,
        args=table.plain("args", _args, 'a table of texts, numbers and lists, such as { of = "auctions" }'),
        every_s=_every(table),
        cron=_cron(table),
        tz=_zone(table),
        priority=table.choice("priority", _BLANK.priority, PRIORITIES),
        catch_up=table.choice("catch_up", _BLANK.catch_up, CATCH_UP),
    )
    table.close()
    return schedule


def _every(table: Table) -> float | None:
    if not table.has("every"):
        return None
    every_s = table.duration("every", 1.0)
    if every_s < 1.0:
        table.problem("every", "expected at least 1 s")
    return every_s


def _cron(table: Table) -> str | None:
    if not table.has("cron"):
        return None
    cron = table.text("cron", "")
    try:
        CronSim(cron, _ANY_MOMENT)
    except (CronSimError, ValueError):
        if cron:
            table.problem(
                "cron", f'expected five fields such as "0 4 * * *" (minute hour day month weekday), got "{cron}"'
            )
    return cron


def _zone(table: Table) -> str:
    zone = table.text("tz", _BLANK.tz)
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        table.problem("tz", f'expected a time zone such as "UTC" or "Europe/Paris", got "{zone}"')
    return zone


def _tiers(table: Table) -> tuple[Tier, ...]:
    """Return the tiers. They are tried in order, so one behind a wider one would never be used."""
    expected = 'a list such as [{ seen_within = "7d", every = "12h" }, { every = "30d" }]'
    tiers: list[Tier] = []
    for element in table.elements("tiers", expected):
        element.required("every", '"12h"')
        seen_s = element.duration("seen_within", 1.0) if element.has("seen_within") else None
        widest = tiers[-1].seen_within_s if tiers else 0.0
        if widest is None or (seen_s is not None and seen_s <= widest):
            table.report.problem(element.label, "can never apply: the tier before it takes the same entities already")
        tiers.append(Tier(every_s=element.duration("every", 1.0), seen_within_s=seen_s))
        element.close()
    return tuple(tiers)


def _args(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(_is_plain(item) for item in value.values()):
        raise ValueError
    return dict(value)


def _is_plain(value: object) -> bool:
    """Tell whether JSON can carry a TOML value as it is: no dates, no nan."""
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    return isinstance(value, bool | str) or units.is_number(value)
