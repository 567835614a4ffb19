"""`gatherer run`: the supervisor, in the foreground."""

import os
import sys
from pathlib import Path

import click

from supervisor.cli.options import config_option
from supervisor.core.errors import UsageError
from supervisor.daemon.main import run as run_daemon
from supervisor.settings.reading import find


@click.command()
@config_option
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Override a setting, e.g. server.listen=127.0.0.1:9000.",
)
def run(config: Path | None, settings: tuple[str, ...]) -> None:
    """Gather: start the supervisor and stay until stopped.

    SIGTERM or Ctrl-C drains: running jobs end, waiting ones stay for the next start. A second one is quick.
    """
    overrides = dict(_setting(text) for text in settings)
    sys.exit(run_daemon(find(os.environ, config), overrides))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set {text}: expected NAME=VALUE")
    return name.strip(), value.strip()
