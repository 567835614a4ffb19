"""`gatherer jobs`: look at jobs, and change their fate."""

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from supervisor.cli.calling import Daemon
from supervisor.cli.human import ago, moment
from supervisor.cli.options import PRIORITIES, asks_daemon, json_option, print_json
from supervisor.core.clock import SystemClock
from supervisor.core.errors import UsageError
from supervisor.core.text import printable

STATES = ("scheduled", "available", "executing", "retryable", "completed", "cancelled", "discarded")
PAGE = 500
HEADINGS: tuple[str, ...] = ("ID", "WORKER", "ENTITY", "PRIORITY", "STATE", "OUTCOME", "CREATED", "WHY")


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the filters of jobs, as one dictionary `where` without those that are absent."""

    @click.option("--worker", help="Jobs of this worker.")
    @click.option("--state", type=click.Choice(STATES))
    @click.option("--priority", type=click.Choice(PRIORITIES))
    @click.option("--outcome", help="done, skipped, gone, unparsed, discard …")
    @click.option("--entity", help="Jobs about this entity, written as `jobs list` shows it.")
    @functools.wraps(command)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        where = {name: kwargs.pop(name) for name in ("worker", "state", "priority", "outcome", "entity")}
        return command(*args, where={name: value for name, value in where.items() if value}, **kwargs)

    return filtered


@click.group()
def jobs() -> None:
    """List, show, retry or discard jobs."""


@jobs.command("list")
@filters
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True)
@json_option
@asks_daemon
def list_jobs(daemon: Daemon, where: dict[str, str], limit: int, as_json: bool) -> None:
    """List jobs, newest first."""
    found = list(_pages(daemon, where, limit))
    if as_json:
        print_json(found)
        return
    now = SystemClock().wall()
    rows = [HEADINGS, *(_row(job, now) for job in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[-1]]).rstrip())
    if len(found) == limit:
        click.echo(f"The newest {limit}; --limit shows more.", err=True)


@jobs.command("show")
@click.argument("number", type=click.IntRange(1))
@json_option
@asks_daemon
def show_job(daemon: Daemon, number: int, as_json: bool) -> None:
    """Show everything about one job."""
    job = daemon.get(f"/jobs/{number}")
    if as_json:
        print_json(job)
        return
    for name, value in job.items():
        if value not in (None, "", {}, [], False):
            shown = f"{moment(value)} ({ago(value, SystemClock().wall())})" if name.endswith("_at") else str(value)
            click.echo(f"{name:14}{printable(shown)}")


@jobs.command()
@click.argument("number", type=click.IntRange(1), required=False)
@filters
@click.option("--dry-run", is_flag=True, help="Say how many, change nothing.")
@json_option
@asks_daemon
def retry(daemon: Daemon, number: int | None, where: dict[str, str], dry_run: bool, as_json: bool) -> None:
    """Run jobs again: one by its number, or all discarded ones that the filters name."""
    _change(daemon, "retry", number, where, dry_run, as_json)


@jobs.command()
@click.argument("number", type=click.IntRange(1), required=False)
@filters
@click.option("--dry-run", is_flag=True, help="Say how many, change nothing.")
@json_option
@asks_daemon
def discard(daemon: Daemon, number: int | None, where: dict[str, str], dry_run: bool, as_json: bool) -> None:
    """Give jobs up that wait: one by its number, or those that the filters name. `jobs retry` brings them back."""
    _change(daemon, "discard", number, where, dry_run, as_json)


def _change(daemon: Daemon, verb: str, number: int | None, where: dict[str, str], dry_run: bool, as_json: bool) -> None:
    if (number is None) == (not where):
        raise UsageError(f"jobs {verb}: give a job's number, or filters such as --worker and --state")
    if number is not None and dry_run:
        raise UsageError("--dry-run goes with filters")
    path = f"/jobs/{verb}" if number is None else f"/jobs/{number}/{verb}"
    answer = daemon.post(path, where | ({"dry_run": "1"} if dry_run else {}))
    if as_json:
        print_json(answer)
    elif dry_run:
        click.echo(f"{answer['matched']:,} jobs match; nothing was changed")
    else:
        past = "made available" if verb == "retry" else "discarded"
        click.echo(f"{answer['changed']:,} of {answer['matched']:,} {past}")
    if not answer["matched"]:
        sys.exit(1)


def _pages(daemon: Daemon, where: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
    after: Any = None
    while limit > 0:
        page = daemon.get("/jobs", {**where, "limit": min(limit, PAGE), "after": after})
        yield from page["jobs"]
        limit -= len(page["jobs"])
        after = page["next"]
        if after is None:
            return


def _row(job: dict[str, Any], now: float) -> tuple[str, ...]:
    why = job.get("error") or job.get("note") or ""
    return (
        str(job["id"]),
        job["worker"],
        job["entity"],
        job["priority"],
        job["state"],
        job.get("outcome") or "",
        ago(job.get("created_at"), now),
        printable(why.splitlines()[0])[:100] if why else "",
    )
