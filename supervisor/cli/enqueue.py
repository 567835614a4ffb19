"""`gatherer enqueue`: add jobs."""

import getpass
import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO

import click

from supervisor.cli.calling import Daemon, RejectedError
from supervisor.cli.ending import has_failed, outcome_line, wait_for
from supervisor.cli.intake import FORMS, Defaults, Fault, Record, jobs
from supervisor.cli.options import PRIORITIES, Duration, asks_daemon, json_option, print_json
from supervisor.cli.progress import bar
from supervisor.cli.staging import Faults, stage
from supervisor.cli.text_lines import text_lines
from supervisor.core.clock import SystemClock
from supervisor.core.errors import UsageError

AT_ONCE = 1000  # more than these are staged


@click.command()
@click.argument("worker", default="")
@click.argument("entities", nargs=-1)
@click.option(
    "--file", "-f", type=click.File("rb"), help="Read jobs from a file: plain lines, CSV or JSON lines; - = stdin."
)
@click.option("--format", "form", type=click.Choice(FORMS), default="auto", show_default=True, help="Of the file.")
@click.option("--priority", type=click.Choice(PRIORITIES), default="normal", show_default=True)
@click.option("--max-age", type=Duration(), help="Skip what is younger than this, e.g. 12h; 0 = always fetch.")
@click.option("--wait", is_flag=True, help=f"Wait until all have ended (≤ {AT_ONCE} jobs); exit 1 when one failed.")
@click.option("--timeout", type=Duration(), default="10m", show_default=True, help="Of --wait.")
@json_option
@asks_daemon
def enqueue(
    daemon: Daemon,
    worker: str,
    entities: tuple[str, ...],
    file: BinaryIO | None,
    form: str,
    priority: str,
    max_age: float | None,
    wait: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Add jobs: from arguments, a file or standard input.

    \b
    gatherer enqueue characters eu/kaelthas/zoé eu/silvermoon/bob
    gatherer enqueue characters --file names.csv --max-age 12h
    some-program | gatherer enqueue guilds

    A file is taken as a whole or not at all; each line at fault is named. A job that already waits is merged.
    """
    defaults = Defaults(worker=worker, priority=priority, max_age_s=max_age, provenance=_provenance())
    if entities and file:
        raise UsageError("give entities or --file, not both")
    if entities:
        records = jobs(enumerate(entities, 1), "plain", defaults)
        lots = _accept(daemon, records, wait=wait)
    else:
        stream = file or _standard_input()
        with bar("Reading", _size_of(stream), unit="bytes") as read:
            lots = _accept(daemon, jobs(text_lines(stream, read), form, defaults), wait=wait)
    _report(daemon, lots, wait=wait, timeout_s=timeout, as_json=as_json)


def _accept(daemon: Daemon, records: Iterator[Record | Fault], *, wait: bool) -> dict[str, Any]:
    """Enqueue a few jobs at once (their ids come back), more by staging; return the daemon's answer."""
    first = list(islice(records, AT_ONCE + 1))
    if len(first) <= AT_ONCE:
        return _enqueue_few(daemon, first)
    if wait:
        raise UsageError(f"--wait takes at most {AT_ONCE} jobs: nothing was enqueued")
    return {"accepted": stage(daemon, _chained(first, records)), "jobs": []}


def _chained(first: Iterable[Record | Fault], rest: Iterable[Record | Fault]) -> Iterator[Record | Fault]:
    yield from first
    yield from rest


def _enqueue_few(daemon: Daemon, records: list[Record | Fault]) -> dict[str, Any]:
    faults = Faults()
    good: list[Record] = []
    for record in records:
        if isinstance(record, Fault):
            faults.add(record)
        else:
            good.append(record)
    if not good and not faults.total:
        raise UsageError("no jobs in it: nothing was enqueued")
    if faults.total:
        raise faults.as_error()
    try:
        answer: dict[str, Any] = daemon.post("/jobs", body={"jobs": good})
    except RejectedError as error:
        for fault in error.errors:
            faults.add(Fault(int(fault["line"]), str(fault["reason"])))
        raise (faults.as_error() if faults.total else error) from error
    return answer


def _report(daemon: Daemon, answer: dict[str, Any], *, wait: bool, timeout_s: float, as_json: bool) -> None:
    if not wait:
        _say_accepted(answer, as_json)
        return
    ended = []
    with bar("Waiting", len(answer["jobs"])) as has_ended:
        for job in wait_for(daemon, answer["jobs"], clock=SystemClock(), timeout_s=timeout_s):
            ended.append(job)
            has_ended(1)
            if not as_json:
                click.echo(outcome_line(job))
    if as_json:
        print_json(ended)
    if any(has_failed(job) for job in ended):
        sys.exit(1)


def _say_accepted(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    merged = answer.get("merged", 0)
    click.echo(f"{answer['accepted']:,} accepted" + (f", {merged:,} of them were waiting already" if merged else ""))


def _standard_input() -> BinaryIO:
    if sys.stdin.isatty():
        raise UsageError("nothing to enqueue: give entities, --file FILE, or a pipe")
    return sys.stdin.buffer


def _provenance() -> str:
    try:
        return f"enqueue by {getpass.getuser()}"
    except (KeyError, OSError):  # a uid without a name, as in containers
        return f"enqueue by uid {os.getuid()}"


def _size_of(stream: BinaryIO) -> int | None:
    try:
        return os.fstat(stream.fileno()).st_size or None
    except (OSError, AttributeError):
        return None
