"""What people said about a worker's size over HTTP, where the file may not be written: kept in overrides.toml.

[settings.characters.concurrency]
value = 3
over = 2                               # what the file said; once it says something else, the file holds
since = 2026-11-23T13:07:00Z
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec

from supervisor.settings.config import AUTO, Worker
from supervisor.settings.workers import AUTO_WORD

Name: TypeAlias = Literal["concurrency", "replicas"]


class Said(msgspec.Struct, frozen=True):
    """One setting of a worker as a person said it, over what the file said then."""

    value: int | str
    over: int | str
    since: datetime


Settings: TypeAlias = dict[str, dict[Name, Said]]


def read_settings(content: object) -> Settings:
    """Return what is kept; what is damaged is as if it had not been said."""
    try:
        return msgspec.convert(content or {}, Settings)
    except msgspec.ValidationError:
        return {}


def as_tables(settings: Settings) -> dict[str, Any]:
    """Return the TOML tables of `settings`."""
    return {
        worker: {name: msgspec.structs.asdict(said) for name, said in of_worker.items()}
        for worker, of_worker in settings.items()
        if of_worker
    }


def say(settings: Settings, written: Worker, values: Mapping[Name, int | str], now: float) -> None:
    """Note in `settings` what a person said at `now` (wall seconds); what the file says anyway needs no note."""
    of_worker = settings.setdefault(written.name, {})
    for name, value in values.items():
        of_worker.pop(name, None)
        if value != as_written(written, name):
            since = datetime.fromtimestamp(int(now), UTC)
            of_worker[name] = Said(value=value, over=as_written(written, name), since=since)


def in_force(settings: Settings, written: Worker) -> dict[Name, int | str]:
    """Return what still stands above the file."""
    return {
        name: said.value
        for name, said in settings.get(written.name, {}).items()
        if said.over == as_written(written, name)
    }


def as_written(worker: Worker, name: Name) -> int | str:
    """Return a setting as the file says it."""
    if name == "concurrency" and worker.autoscale is not None and worker.autoscale.auto:
        return AUTO_WORD
    return worker.concurrency if name == "concurrency" else worker.replicas


def with_values(worker: Worker, values: Mapping[Name, int | str]) -> Worker:
    """Return the worker as if the file said so."""
    replicas, concurrency = values.get("replicas"), values.get("concurrency")
    if isinstance(replicas, int):
        worker = msgspec.structs.replace(worker, replicas=replicas)
    if isinstance(concurrency, int):
        # AUTO as it is stands for no table of bounds: they go with the word.
        bounds = worker.autoscale
        bounds = None if bounds is None or bounds == AUTO else msgspec.structs.replace(bounds, auto=False)
        return msgspec.structs.replace(worker, concurrency=concurrency, autoscale=bounds)
    if concurrency == AUTO_WORD:
        bounds = msgspec.structs.replace(worker.autoscale or AUTO, auto=True)
        return msgspec.structs.replace(worker, concurrency=bounds.min, autoscale=bounds)
    return worker
