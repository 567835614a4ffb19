"""`gatherer import-env`: the variables of an .env file as settings of the configuration."""

import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from supervisor.cli.options import config_option
from supervisor.core.errors import ConfigurationError, UsageError
from supervisor.settings import dotenv
from supervisor.settings.config import Config
from supervisor.settings.edit import edited
from supervisor.settings.files import MAX_CONFIG_BYTES
from supervisor.settings.reading import find, load
from supervisor.settings.replacing import replace

SHOWN = 8


@click.command("import-env")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--write", is_flag=True, help="Edit the configuration; without it the settings are printed.")
@config_option
def import_env(file: Path, write: bool, config: Path | None) -> None:
    """Turn an .env file into settings of the configuration.

    Takes NAME_WORKER_CONCURRENCY of each worker and NAME_REPLICAS of each tag; other variables stay where they are.
    With --write the configuration is edited in place, comments stay, and a running Gatherer follows.
    """
    path = find(os.environ, config)
    if path is None:
        raise ConfigurationError(["there is no configuration to put this into; make one: gatherer init"])
    before = load(path, environment={}, with_secrets=False)
    found = _found(file, before)
    if not found.settings:
        raise UsageError(f"{file}: none of its variables is a setting here; they are {_listed(found.known)}")
    if write:
        is_new = replace(path, lambda text: edited(text, found.settings), lambda fresh: _judge(path, fresh))
        click.echo(f"{path}: {len(found.settings)} settings " + ("written" if is_new else "were there already"))
    else:
        click.echo(edited("", found.settings).strip())
    for remark in _remarks(found, tomllib.loads(path.read_text(encoding="utf-8"))):
        click.echo(remark, err=True)


def _found(file: Path, config: Config) -> dotenv.Imported:
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_CONFIG_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    tags = {worker.tag for worker in config.workers.values()}
    return dotenv.imported(dotenv.parse(text, str(file)), config.workers, sorted(tags), str(file))


def _judge(path: Path, fresh: bytes) -> None:
    load(path, environment={}, with_secrets=False, instead={path: fresh})


def _remarks(found: dotenv.Imported, content: dict[str, Any]) -> Iterator[str]:
    """Yield what the settings alone do not say. content: of the configuration file."""
    if found.strangers:
        yield f"no setting here, left where they are: {_listed(found.strangers)}"
    tags = {setting[1] for setting in found.settings if setting[0] == "tags"}
    for name, worker in content["workers"].items():
        if worker["tag"] in tags and "replicas" in worker:
            yield f"workers.{name}.replicas = {worker['replicas']} stays above tags.{worker['tag']}.replicas"
    pinned = [variable for variable in found.ours if variable in os.environ]
    if pinned:
        yield f"set in this environment too, where they stand above the file: {_listed(pinned)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
