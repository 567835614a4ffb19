"""`gatherer restore`: put a backup in the place of the state."""

import os
from pathlib import Path

import click

from supervisor.cli.finding import state_folder
from supervisor.cli.options import config_option
from supervisor.core.clock import SystemClock
from supervisor.database import opening, restoring
from supervisor.settings.folders import give_to_owner, hold_state


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@config_option
def restore(folder: Path, config: Path | None) -> None:
    """Put a backup in the place of the state.

    Refused while Gatherer runs. What is there now is moved aside, not deleted; the configuration is not touched, and
    the limiter's journal stays, because the API has not forgotten what was sent.
    """
    state_dir, path = state_folder(config, os.environ)
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold_state(state_dir):
        lock = opening.lock(state_dir)
        try:
            aside = restoring.restore(folder, state_dir, SystemClock().wall())
        finally:
            os.close(lock)
    give_to_owner(state_dir)
    click.echo(f"Restored {folder} into {state_dir}; what was there is in {aside}.")
    if (folder / "config").is_dir():
        click.echo(f"Its configuration is in {folder / 'config'}; {path} was not touched.")
