"""What the database must know of the configuration, as plain values; they travel in `messages.DatabaseSettings`."""

from typing import Any

import msgspec


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the database must know of one worker.

    package: folder with `manifest.toml`, `migrations/` and `statements/` of its job package ("" = none).
    kind: its section in the manifest.
    """

    name: str
    kind: str
    package: str
    max_attempts: int = 10


class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One [schedules.X]: exactly one of every_s and cron is set."""

    name: str
    worker: str
    args: dict[str, Any] = {}
    every_s: float | None = None
    cron: str | None = None
    tz: str = "UTC"
    priority: int = 2


class TierSettings(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Entities seen within `seen_within_s` (None = all) are refreshed every `every_s`."""

    every_s: float
    seen_within_s: float | None = None


class FreshnessSettings(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One [freshness.X]: tiers in order, first match wins; keep_waiting: background jobs kept ready."""

    worker: str
    tiers: list[TierSettings]
    keep_waiting: int = 2000
