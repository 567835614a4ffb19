"""`gatherer backup`: copy databases, journal and configuration, also while everything runs."""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import click

from supervisor.cli.calling import Daemon
from supervisor.cli.finding import control_socket, state_folder
from supervisor.cli.options import config_option, json_option, print_json
from supervisor.core.clock import SystemClock
from supervisor.core.errors import RefusedError, UnavailableError
from supervisor.database import backup as copying
from supervisor.settings.files import key_files
from supervisor.settings.folders import give_to_owner, hold_state

BACKUP_S = 650.0


@click.command()
@config_option
@click.option("--run-dir", type=click.Path(path_type=Path, file_okay=False), help="The folder of the daemon's sockets.")
@json_option
def backup(config: Path | None, run_dir: Path | None, as_json: bool) -> None:
    """Copy databases, journal and configuration, also while everything runs.

    Into a new folder in state_dir/backups, complete or absent. Files with client secrets are not copied; secrets that
    stand in the configuration itself are.
    """
    try:
        daemon = Daemon(control_socket(config, run_dir, os.environ))
        made: dict[str, Any] = daemon.ask("POST", "/backups", timeout_s=BACKUP_S)
        path = Path(daemon.get("/workers")["config"]["path"])
    except UnavailableError:
        # Nobody runs (or the next line says who).
        state_dir, path = state_folder(config, os.environ)
        with hold_state(state_dir):
            folder = _copy(state_dir)
        give_to_owner(state_dir)
        made = {"folder": str(folder), "bytes": sum(file.stat().st_size for file in folder.iterdir())}
    _copy_configuration(path, Path(made["folder"]))
    if as_json:
        print_json(made)
        return
    click.echo(f"{made['folder']}: {made['bytes'] / 1e6:,.1f} MB")


def _copy(state_dir: Path) -> Path:
    try:
        return copying.copy(copying.pin(state_dir), state_dir, SystemClock().wall())
    except (OSError, sqlite3.Error) as error:
        raise RefusedError(f"{state_dir}: no backup was made: {error}") from error


def _copy_configuration(path: Path, folder: Path) -> None:
    try:
        for file in (path, *key_files(path.absolute())):
            target = folder / "config" / file.relative_to(path.parent)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(file, target)
    except OSError as error:
        raise RefusedError(
            f"{folder}: the state is in it, the configuration could not be copied ({error}); copy {path} yourself"
        ) from error
    give_to_owner(folder)
