"""`gatherer pause`, `resume` and `restart`: what a worker's pool does from now on."""

from typing import Any

import click

from supervisor.cli.calling import Daemon
from supervisor.cli.options import asks_daemon, json_option, print_json


@click.command()
@click.argument("worker")
@json_option
@asks_daemon
def pause(daemon: Daemon, worker: str, as_json: bool) -> None:
    """Let a worker start no new jobs.

    What runs is finished; jobs wait. It stays paused over restarts, until `gatherer resume`.
    """
    _say(daemon.post(f"/workers/{worker}/pause"), f"{worker} is paused", as_json)


@click.command()
@click.argument("worker")
@json_option
@asks_daemon
def resume(daemon: Daemon, worker: str, as_json: bool) -> None:
    """Let a paused worker start jobs again."""
    _say(daemon.post(f"/workers/{worker}/resume"), f"{worker} works", as_json)


@click.command()
@click.argument("worker")
@json_option
@asks_daemon
def restart(daemon: Daemon, worker: str, as_json: bool) -> None:
    """Replace a worker's replicas one after another.

    Each finishes its jobs first; none is lost.
    """
    _say(daemon.post(f"/workers/{worker}/restart"), f"{worker} restarts, one replica after another", as_json)


def _say(answer: Any, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    warning = answer.get("warning") if isinstance(answer, dict) else None
    click.echo(sentence + (f" ({warning})" if warning else ""))
