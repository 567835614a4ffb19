"""`gatherer check`: what is wrong with a configuration."""

import os
import sys
from pathlib import Path

import click

from supervisor.cli.options import config_option, json_option, print_json
from supervisor.core.errors import ConfigurationError
from supervisor.settings.config import Config
from supervisor.settings.reading import find, load


@click.command()
@config_option
@json_option
def check(config: Path | None, as_json: bool) -> None:
    """Say what is wrong with a configuration, without starting anything.

    Every problem at once, as file:line; warnings do not count. Exit 78 when it cannot be used.
    """
    path = find(os.environ, config)
    try:
        loaded = load(path, environment=os.environ)
    except ConfigurationError as error:
        if as_json:
            print_json({"ok": False, "problems": error.problems, "warnings": [], "pinned": {}})
        else:
            click.echo("\n".join(error.problems), err=True)
        sys.exit(ConfigurationError.exit_code)
    if as_json:
        print_json({"ok": True, "problems": [], "warnings": list(loaded.warnings), "pinned": loaded.pinned})
        return
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    for setting, variable in loaded.pinned.items():
        click.echo(f"{setting} is pinned by {variable}, which stands above the file")
    click.echo(f"{path}: {_summary(loaded)}")


def _summary(config: Config) -> str:
    parts = (
        (len(config.workers), "worker"),
        (len(config.keys), "key"),
        (len(config.schedules), "schedule"),
        (len(config.warnings), "warning"),
    )
    return "ok, " + ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in parts)
