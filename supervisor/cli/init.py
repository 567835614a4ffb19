"""`gatherer init`: a first configuration, or keys for one that is there; secrets in files of their own."""

import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from supervisor.core.errors import ConfigurationError, RefusedError, UsageError
from supervisor.settings.files import KEYS_FOLDER
from supervisor.settings.starter import key_files, starter


@click.command()
@click.argument("folder", default="config", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--key", "keys", multiple=True, metavar="NAME", help="Name of an API key; repeat for more. Asked for when absent."
)
@click.option("--region", default="eu", show_default=True, help="Region of the API, for a new configuration.")
@click.option("--client-id", metavar="ID", help="Client id of the key (one --key only); otherwise write it in later.")
@click.option("--secret", type=click.File(), help="File with the key's client secret, - for standard input.")
def init(folder: Path, keys: tuple[str, ...], region: str, client_id: str | None, secret: TextIO | None) -> None:
    """Write a first config.toml, or add keys to the one that is there.

    Into FOLDER (default: ./config), beside a secret file for each key; keys that are added to a configuration go to
    FOLDER/keys.d. No file that exists is touched.
    """
    names = keys or _ask_names()
    if len(names) != 1 and (client_id or secret):
        raise UsageError("--client-id and --secret are for one key: give one --key")
    path = folder / "config.toml"
    if path.exists():
        places = _add_keys(path, names, client_id)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, _with_client(starter(names, region=region), client_id))
        places = [path]
    secrets = [_secret_file(places[0].parent / f"{name}.secret", secret) for name in names]
    _say_what_is_left(path, places, secrets, has_client=bool(client_id), has_secret=secret is not None)


def _ask_names() -> Sequence[str]:
    answer = click.prompt("Names of your API keys, separated by blanks", default="osint-1 dma-1")
    return str(answer).split()


def _with_client(text: str, client_id: str | None) -> str:
    """Put the client id in the place of its placeholder."""
    if not client_id:
        return text
    lines = (f'client_id = "{client_id}"' if line.startswith("client_id = ") else line for line in text.split("\n"))
    return "\n".join(lines)


def _add_keys(path: Path, names: Sequence[str], client_id: str | None) -> list[Path]:
    """Write keys.d/NAME.toml beside `path` for each key; return the files."""
    texts = key_files(names)
    folder = path.parent / KEYS_FOLDER
    for name in set(names) & set(_keys_in(path)):
        raise RefusedError(f"{path} has a key {name} already and was not touched")
    if not folder.exists():
        folder.mkdir(mode=0o700)
        _give_to_owner_of(path.parent, folder)
    return [_write(folder / f"{name}.toml", _with_client(text, client_id), mode=0o600) for name, text in texts.items()]


def _keys_in(path: Path) -> Iterator[Any]:
    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8")).get("keys", [])
    except ValueError as error:
        raise ConfigurationError([f"{path}: is not TOML: {error}"]) from error
    return (key.get("name") for key in keys)


def _write(path: Path, text: str, mode: int = 0o640) -> Path:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise RefusedError(f"{path} exists already and was not touched") from error
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor, so that O_EXCL holds
        file.write(text)
    _give_to_owner_of(path.parent, path)
    return path


def _secret_file(path: Path, secret: TextIO | None) -> Path:
    """Make a file that only its owner can read, empty when there is no secret yet; one that exists stays as it is."""
    if not path.exists():
        _write(path, "" if secret is None else secret.read().strip() + "\n", mode=0o600)
    return path


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """Let root prepare the files of a service that runs as another user."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _say_what_is_left(
    path: Path, places: Sequence[Path], secrets: Sequence[Path], *, has_client: bool, has_secret: bool
) -> None:
    click.echo(f"Wrote {', '.join(map(str, places))}. What is left to do:")
    steps = [
        *([] if has_client else [f"put each key's client_id into {', '.join(map(str, places))}"]),
        *([] if has_secret else [f"put each key's client secret into {', '.join(map(str, secrets))}"]),
        f"gatherer check --config {path}",
        f"gatherer run --config {path}, or as a service: systemctl enable --now gatherer",
    ]
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")
