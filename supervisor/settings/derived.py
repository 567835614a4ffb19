"""What the configuration says to each part: the database's settings, a replica's API profile."""

from typing import Any

from supervisor.core.database_settings import FreshnessSettings, ScheduleSettings, TierSettings, WorkerSettings
from supervisor.core.job import Priority
from supervisor.core.messages.supervisor_database import DatabaseSettings
from supervisor.settings.check import BLIZZARD_REGIONS, is_blizzard
from supervisor.settings.config import Api, Config, Freshness, Schedule, Worker
from supervisor.settings.packages import kind_of, package_folder
from supervisor.settings.references import RETENTION, keys_of, statements_of


def api_of(config: Config, worker: str) -> Api:
    """Return the API of a worker: that of its keys, which `load` has seen to be one; the first when it has none."""
    keys = keys_of(config, config.workers[worker])
    return config.apis[keys[0].api] if keys else next(iter(config.apis.values()))


def api_profile(config: Config, worker: str) -> dict[str, Any]:
    """Return what a replica of `worker` must know of its API; nothing in it is secret.

    is_sighted: the limiter wants to hear the Date and the way of each answer.
    """
    api = api_of(config, worker)
    return {
        "name": api.name,
        "base_url": api.base_url,
        "region": api.region,
        "locale": api.locale,
        "timeout_s": api.timeout_s,
        "is_sighted": api.is_learning,
    }


def database_settings(config: Config) -> DatabaseSettings:
    """Return what the database process must know; default ages of what no package has are left out."""
    known = statements_of(config)
    return DatabaseSettings(
        workers=[_worker(worker) for worker in config.workers.values()],
        schedules=[_schedule(schedule) for schedule in config.schedules.values()],
        freshness=[_freshness(freshness) for freshness in config.freshness.values()],
        retention_s={name: age_s for name, age_s in config.retention_s.items() if name + RETENTION in known},
        min_free_bytes=config.min_free_bytes,
        default_region=next(iter(config.apis.values())).region,
        regions=_regions(config),
    )


def _regions(config: Config) -> list[str]:
    """Return the regions that entities may name: Blizzard's, where nothing else is asked; [] = any."""
    return list(BLIZZARD_REGIONS) if all(is_blizzard(api) for api in config.apis.values()) else []


def _worker(worker: Worker) -> WorkerSettings:
    folder = package_folder(worker.job, worker.path)
    return WorkerSettings(
        name=worker.name,
        kind=kind_of(worker.job),
        package=str(folder) if folder else "",
        max_attempts=worker.max_attempts,
    )


def _schedule(schedule: Schedule) -> ScheduleSettings:
    return ScheduleSettings(
        name=schedule.name,
        worker=schedule.worker,
        args=schedule.args,
        every_s=schedule.every_s,
        cron=schedule.cron,
        tz=schedule.tz,
        priority=int(Priority[schedule.priority.upper()]),
    )


def _freshness(freshness: Freshness) -> FreshnessSettings:
    return FreshnessSettings(
        worker=freshness.worker,
        tiers=[TierSettings(every_s=tier.every_s, seen_within_s=tier.seen_within_s) for tier in freshness.tiers],
        keep_waiting=freshness.keep_waiting,
    )
