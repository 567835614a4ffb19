"""`gatherer init`: a first configuration, with its secrets in files of their own."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from supervisor.core.errors import RefusedError
from supervisor.settings.starter import starter


@click.command()
@click.argument("folder", default="config", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--key", "keys", multiple=True, metavar="NAME", help="Name of an API key; repeat for more. Asked for when absent."
)
@click.option("--region", default="eu", show_default=True, help="Region of the API.")
def init(folder: Path, keys: tuple[str, ...], region: str) -> None:
    """Write a first config.toml.

    Into FOLDER (default: ./config), beside an empty secret file for each key. Nothing that exists is touched.
    """
    names = keys or _ask_names()
    text = starter(names, region=region)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    _write(path, text)
    secrets = [_secret_file(folder / f"{name}.secret") for name in names]
    click.echo(f"Wrote {path}. What is left to do:")
    click.echo(f"  1. put each key's client_id into {path}")
    click.echo(f"  2. put each key's client secret into {', '.join(map(str, secrets))}")
    click.echo(f"  3. gatherer check --config {path}")
    click.echo(f"  4. gatherer run --config {path}")


def _ask_names() -> Sequence[str]:
    answer = click.prompt("Names of your API keys, separated by blanks", default="osint-1 dma-1")
    return str(answer).split()


def _write(path: Path, text: str, mode: int = 0o640) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise RefusedError(f"{path} exists already and was not touched") from error
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor, so that O_EXCL holds
        file.write(text)


def _secret_file(path: Path) -> Path:
    """Make an empty file that only its owner can read; one that exists stays as it is."""
    if not path.exists():
        _write(path, "", mode=0o600)
    return path
