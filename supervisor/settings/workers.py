"""[tags.NAME] and [workers.NAME] as values."""

import re
from typing import Any

from supervisor.settings.config import AUTO, Autoscale, Worker
from supervisor.settings.files import resolve
from supervisor.settings.packages import module_problem, nominal_requests
from supervisor.settings.table import Table

MAX_CONCURRENCY = 256
MAX_REPLICAS = 64
MAX_GRACE_S = 3_600.0
MIN_PSS_BYTES = 32_000_000
AUTO_WORD = "auto"

_MAX_ATTEMPTS = 1_000
_MAX_WAITING = 10**9
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLANK = Worker(name="", job="", tag="")


def read_tags(document: Table) -> dict[str, int]:
    """Return [tags.NAME] as tag → replicas of each of its workers."""
    replicas = {}
    for name, table in document.children("tags").items():
        replicas[name] = table.integer("replicas", _BLANK.replicas, 0, MAX_REPLICAS)
        table.close()
    return replicas


def read_workers(document: Table, tag_replicas: dict[str, int]) -> dict[str, Worker]:
    """Return [workers.NAME]; none at all is a problem, because it would silently stop everything."""
    workers = {name: _worker(table, name, tag_replicas) for name, table in document.children("workers").items()}
    if not workers:
        document.problem("workers", "there is no [workers.NAME] table; to run none for now, set paused = true in each")
    return workers


def _worker(table: Table, name: str, tag_replicas: dict[str, int]) -> Worker:
    table.required("job", '"jobs.characters"')
    table.required("tag", '"osint"')
    tag = table.name("tag", "")
    path = _path(table)
    autoscale = _autoscale(table)
    grace_s = table.duration("grace", _BLANK.grace_s)
    if grace_s > MAX_GRACE_S:
        table.problem("grace", "expected at most 1h: a drain waits that long")
    max_pss_bytes = table.size("max_pss", _BLANK.max_pss_bytes)
    if max_pss_bytes < MIN_PSS_BYTES:
        table.problem("max_pss", "expected at least 32MB, twice what a new replica takes")
    job = _job(table, path)
    worker = Worker(
        name=name,
        job=job,
        tag=tag,
        concurrency=_concurrency(table, autoscale),
        replicas=table.integer("replicas", tag_replicas.get(tag, _BLANK.replicas), 0, MAX_REPLICAS),
        weight=table.number("weight", _BLANK.weight),
        target_per_s=table.number("target_per_s", 1.0) if table.has("target_per_s") else None,
        paused=table.flag("paused", _BLANK.paused),
        path=path,
        environment=table.plain("environment", _environment, 'a table of texts, such as { TZ = "UTC" }'),
        max_attempts=table.integer("max_attempts", _BLANK.max_attempts, 1, _MAX_ATTEMPTS),
        grace_s=grace_s,
        max_pss_bytes=max_pss_bytes,
        autoscale=autoscale,
        sends_requests=nominal_requests(job, path) > 0,
    )
    table.close()
    return worker


def _path(table: Table) -> str:
    if not table.has("path"):
        return ""
    folder = resolve(table.folder, table.text("path", "", expected="a folder"))
    try:
        problem = "" if folder.is_dir() else "is no folder"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    if problem:
        table.problem("path", f"{folder} {problem}")
        return ""
    return str(folder)


def _job(table: Table, path: str) -> str:
    job = table.text("job", "")
    problem = module_problem(job, path) if job else ""
    if problem:
        table.problem("job", problem)
    return job


def _concurrency(table: Table, autoscale: Autoscale | None) -> int:
    low, high = (autoscale.min, autoscale.max) if autoscale else (0, MAX_CONCURRENCY)
    if table.says("concurrency", AUTO_WORD):
        return low
    concurrency = table.integer("concurrency", max(low, _BLANK.concurrency), 0, MAX_CONCURRENCY, ' or "auto"')
    if autoscale and concurrency and not low <= concurrency <= high:
        table.problem("concurrency", f"{concurrency} is outside autoscale's min {low} .. max {high}")
    return concurrency


def _autoscale(table: Table) -> Autoscale | None:
    """Return the bounds when the worker has a table for them or says concurrency = "auto"."""
    is_auto = table.says("concurrency", AUTO_WORD)
    if not table.has("autoscale"):
        return AUTO if is_auto else None
    blank, bounds = AUTO if is_auto else Autoscale(), table.child("autoscale")
    autoscale = Autoscale(
        min=bounds.integer("min", blank.min, 0, MAX_CONCURRENCY),
        max=bounds.integer("max", blank.max, 1, MAX_CONCURRENCY),
        waiting_above=bounds.integer("waiting_above", blank.waiting_above, 0, _MAX_WAITING),
        step=bounds.integer("step", blank.step, 1, MAX_CONCURRENCY),
        cooldown_s=bounds.duration("cooldown", blank.cooldown_s),
        auto=is_auto,
    )
    bounds.close()
    if autoscale.min > autoscale.max:
        bounds.problem("min", f"{autoscale.min} is above max {autoscale.max}")
        return blank
    return autoscale


def _environment(value: Any) -> dict[str, Any]:
    is_right = isinstance(value, dict) and all(
        _VARIABLE.fullmatch(name) and isinstance(text, str) and "\0" not in text for name, text in value.items()
    )
    if not is_right:
        raise ValueError
    return dict(value)
