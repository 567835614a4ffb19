"""Options that several commands share, spelled once."""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from supervisor.cli.calling import Daemon
from supervisor.cli.finding import control_socket
from supervisor.core.errors import UsageError
from supervisor.settings.units import seconds

PRIORITIES = ("urgent", "normal", "background")


class Duration(click.ParamType[float]):
    """Seconds, as a number or as "10m", "24h"."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds; a usage error for anything else."""
        try:
            return parse_duration(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def parse_duration(value: Any) -> float:
    """Return the seconds of 90, "90", "1.5h" or "10m". UsageError for anything else."""
    text = value.strip() if isinstance(value, str) else value
    try:
        if isinstance(text, str) and text.replace(".", "", 1).isdecimal():
            return seconds(float(text))
        return seconds(text)
    except ValueError as error:
        raise UsageError(f'expected seconds or a duration such as "10m" or "24h", got {str(value)[:40]!r}') from error


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file; default: $GATHERER_CONFIG, ./config/config.toml, /etc/gatherer/config.toml.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def asks_daemon(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command --config and --run-dir, and the daemon that they lead to as its first argument."""

    @config_option
    @click.option(
        "--run-dir", type=click.Path(path_type=Path, file_okay=False), help="The folder of the daemon's sockets."
    )
    @functools.wraps(command)
    def found(*args: Any, config: Path | None, run_dir: Path | None, **kwargs: Any) -> None:
        command(Daemon(control_socket(config, run_dir, os.environ)), *args, **kwargs)

    return found


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
