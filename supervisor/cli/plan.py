"""`gatherer plan`: what a configuration will do, before or while it runs."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console, RenderableType

from supervisor.cli.calling import Daemon
from supervisor.cli.finding import control_socket
from supervisor.cli.options import Duration, config_option, json_option, print_json
from supervisor.cli.plan_guide import against_the_guide, draw_guide
from supervisor.cli.plan_tables import draw_plan
from supervisor.core.errors import GathererError
from supervisor.settings import cost
from supervisor.settings.config import Config
from supervisor.settings.cost import Cost
from supervisor.settings.plan import plan as plan_of
from supervisor.settings.reading import find, load

PLAIN_WIDTH = 120  # for pipes and files: no line is broken
LEAST_JOBS = 100  # fewer say little about a worker


@click.command()
@config_option
@json_option
@click.option("--run-dir", type=click.Path(path_type=Path, file_okay=False), help="The folder of the daemon's sockets.")
@click.option("--nominal", is_flag=True, help="Do not ask the running daemon what its jobs really take.")
@click.option("--latency", type=Duration(), default="100ms", show_default=True, help="Assumed time of a request.")
@click.option("--guide", is_flag=True, help="Calculate the guide's own numbers, and say where it contradicts itself.")
def plan(config: Path | None, run_dir: Path | None, as_json: bool, nominal: bool, latency: float, guide: bool) -> None:
    """Say what a configuration will do, and what its targets need.

    Secrets are not read, so an example can be planned too. What a running daemon has measured takes the
    place of nominal figures, also for a file that it does not run: plan an edit before you save it.
    """
    if guide:
        _print_guide(as_json)
        return
    path = find(os.environ, config)
    loaded = load(path, environment=os.environ, with_secrets=False)
    status = {} if nominal else _workers_of_daemon(config, run_dir)
    costs = costs_of(loaded, status, latency)
    planned = plan_of(loaded, costs)
    if as_json:
        print_json({"config": str(path)} | msgspec.to_builtins(planned))
        return
    _print(draw_plan(planned, str(path), latency_s=latency, is_running=bool(status)))


def costs_of(config: Config, status: Mapping[str, Any], round_trip_s: float) -> dict[str, Cost]:
    """Return each worker's costs: measured where `status` (`workers` of GET /workers) knows enough, else nominal."""
    costs = {}
    for name, worker in config.workers.items():
        known = status.get(name)
        costs[name] = cost.nominal(config, worker, round_trip_s)
        if known is not None:
            costs[name] = cost.measured(worker, known, LEAST_JOBS) or cost.offered(costs[name], known)
    return costs


def _workers_of_daemon(config: Path | None, run_dir: Path | None) -> Mapping[str, Any]:
    """Return `workers` of the running daemon's status; {} when none answers: a plan needs no daemon."""
    try:
        workers: Mapping[str, Any] = Daemon(control_socket(config, run_dir, os.environ)).get("/workers")["workers"]
    except GathererError:
        return {}
    return workers


def _print_guide(as_json: bool) -> None:
    report = against_the_guide()
    if as_json:
        print_json(msgspec.to_builtins(report))
        return
    _print(draw_guide(report))


def _print(parts: list[RenderableType]) -> None:
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=PLAIN_WIDTH, highlight=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str) and not console.is_terminal)
