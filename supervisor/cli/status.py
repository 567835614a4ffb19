"""`gatherer status`: how much, how fast, and what limits it."""

import sys
from typing import Any

import click
from rich.console import Console

from supervisor.cli.calling import Daemon
from supervisor.cli.options import asks_daemon, json_option, print_json
from supervisor.cli.status_tables import draw

PLAIN_WIDTH = 160  # for pipes and files: no line is broken


@click.command()
@json_option
@asks_daemon
def status(daemon: Daemon, as_json: bool) -> None:
    """Show workers and keys: how much, how fast, and what limits them.

    Exit 0 also when something is wrong: it is shown, and counted by `gatherer status --json`.
    """
    found: dict[str, Any] = daemon.get("/workers")
    if as_json:
        print_json(found)
        return
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=PLAIN_WIDTH, highlight=False)
    for part in draw(found):
        console.print(part)
