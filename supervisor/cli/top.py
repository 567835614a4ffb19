"""`gatherer top`: the status, live."""

import sys
from collections.abc import Iterator
from threading import Event
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live

from supervisor.cli.calling import Daemon
from supervisor.cli.options import Duration, asks_daemon
from supervisor.cli.status_tables import draw
from supervisor.core.clock import SystemClock
from supervisor.core.errors import UnavailableError


@click.command()
@click.option("--every", type=Duration(), default="1s", show_default=True, help="How often to look.")
@asks_daemon
def top(daemon: Daemon, every: float) -> None:
    """Show workers and keys, live, until Ctrl-C.

    Where there is no terminal, one line for each look. A Gatherer that restarts meanwhile is waited for.
    """
    console = Console(file=sys.stdout, highlight=False)
    try:
        if console.is_terminal:
            _live(daemon, console, every)
        else:
            _lines(daemon, every)
    except KeyboardInterrupt:
        return


def _live(daemon: Daemon, console: Console, every: float) -> None:
    with Live(console=console, auto_refresh=False, screen=True) as live:
        for status in _looks(daemon, every):
            live.update(Group(*(draw(status) if isinstance(status, dict) else [status])), refresh=True)


def _lines(daemon: Daemon, every: float) -> None:
    for status in _looks(daemon, every):
        click.echo(line_of(status) if isinstance(status, dict) else status)


def line_of(status: dict[str, Any]) -> str:
    """Return the status in one line: jobs a second and what limits each worker, keys that are not in use."""
    workers = [f"{name} {worker['per_s']:.1f}/s ({worker['limited_by']})" for name, worker in status["workers"].items()]
    keys = [f"{key['name']} {key['state']}" for key in status["keys"] if key["state"] != "ok"]
    return ", ".join(workers) + ("; keys: " + ", ".join(keys) if keys else "")


def _looks(daemon: Daemon, every: float) -> Iterator[dict[str, Any] | str]:
    """Yield one status after another; a sentence where there is none. UnavailableError: not even a first one."""
    clock = SystemClock()
    never = Event()
    is_first = True
    while True:
        next_at = clock.monotonic() + every
        try:
            yield daemon.get("/workers")
        except UnavailableError as error:
            if is_first:
                raise
            yield f"{error}; looking again"
        is_first = False
        never.wait(max(0.0, next_at - clock.monotonic()))
