"""`gatherer refresh`: one entity, now."""

import sys
from typing import Any

import click

from supervisor.cli.calling import Daemon, RejectedError
from supervisor.cli.ending import has_failed, outcome_line, wait_for
from supervisor.cli.options import Duration, asks_daemon, json_option, print_json
from supervisor.core.clock import SystemClock
from supervisor.core.entity import canonical
from supervisor.core.errors import GathererError, RefusedError, UsageError


@click.command()
@click.argument("entity")
@click.option("--worker", help="Which worker's; default: the one that knows it, else the first that it fits.")
@click.option("--timeout", type=Duration(), default="2m", show_default=True, help="How long to wait for the end.")
@json_option
@asks_daemon
def refresh(daemon: Daemon, entity: str, worker: str | None, timeout: float, as_json: bool) -> None:
    """Refresh one entity now and wait for it.

    The job is urgent and runs however fresh the data is. Exit 1 when it failed, 75 when it takes too long.
    """
    (job,) = wait_for(daemon, [_enqueue(daemon, entity, worker)], clock=SystemClock(), timeout_s=timeout)
    if as_json:
        print_json(job)
    else:
        click.echo(outcome_line(job))
    if has_failed(job):
        sys.exit(1)


def _enqueue(daemon: Daemon, entity: str, worker: str | None) -> dict[str, Any]:
    """Enqueue for the first worker that takes it. UsageError: none does."""
    first: GathererError | None = None
    for candidate in [worker] if worker else _candidates(daemon, entity):
        job = {"worker": candidate, "entity": entity, "priority": "urgent", "max_age_s": 0, "provenance": "refresh"}
        try:
            accepted: dict[str, Any] = daemon.post("/jobs", body=job)["jobs"][0]
        except RejectedError as error:
            first = first or error
        else:
            return accepted
    raise first or UsageError("no worker is configured")


def _candidates(daemon: Daemon, entity: str) -> list[str]:
    """Return worker names, the likeliest first.

    Those whose pattern the text spells in full, then the others (a missing region is the default one);
    among each, the one that has data about it, then those that want a number (words and names take
    anything), then in the order of the configuration.
    """
    workers = daemon.get("/workers")["workers"]
    known = _worker_that_knows(daemon, entity)

    def rank(name: str) -> tuple[bool, bool, int]:
        pattern = workers[name].get("entity", "")
        if not _spells(pattern, entity):
            return True, name != known, 0
        return False, name != known, -pattern.count("number")

    # A worker whose entities are mere words (a schedule's business) takes anything that is mistyped.
    return sorted((name for name in workers if not workers[name].get("entity", "").startswith("word")), key=rank)


def _worker_that_knows(daemon: Daemon, entity: str) -> str:
    try:
        return str(daemon.get(f"/entities/{entity}")["worker"])
    except (RefusedError, UsageError):  # nothing stored yet, or its spelling fits nobody: enqueue will tell
        return ""


def _spells(pattern: str, entity: str) -> bool:
    try:
        return bool(pattern) and bool(canonical(pattern, entity))
    except UsageError:
        return False
