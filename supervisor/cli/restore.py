"""`gatherer restore`: put a backup in the place of the state."""

import os
from pathlib import Path

import click

from supervisor.cli.finding import state_folder
from supervisor.cli.options import config_option
from supervisor.core.clock import SystemClock
from supervisor.core.errors import UsageError
from supervisor.database import opening, restoring
from supervisor.database.damage import DATABASES
from supervisor.settings.folders import give_to_owner, hold_state


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option(
    "--empty", type=click.Choice(DATABASES), help="Begin without this one file instead, when there is no backup."
)
@config_option
def restore(folder: Path | None, empty: str | None, config: Path | None) -> None:
    """Put a backup in the place of the state.

    Refused while Gatherer runs. What is there now is moved aside, not deleted; the configuration is not touched, and
    the limiter's journal stays, because the API has not forgotten what was sent.
    """
    if (folder is None) == (empty is None):
        raise UsageError("name either the folder of a backup or --empty FILE")
    state_dir, path = state_folder(config, os.environ)
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold_state(state_dir):
        lock = opening.lock(state_dir)
        try:
            now = SystemClock().wall()
            if folder:
                aside = restoring.restore(folder, state_dir, now)
            else:
                aside = restoring.begin_empty(empty or "", state_dir, now)
        finally:
            os.close(lock)
    give_to_owner(state_dir)
    click.echo(f"Restored {folder or f'an empty {empty}'} into {state_dir}; what was there is in {aside}.")
    if folder and (folder / "config").is_dir():
        click.echo(f"Its configuration is in {folder / 'config'}; {path} was not touched.")
