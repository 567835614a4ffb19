"""`gatherer keys`: the API keys, whether they work, and whether they may be used."""

import sys
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console

from supervisor.cli.calling import Daemon
from supervisor.cli.human import ago
from supervisor.cli.options import asks_daemon, json_option, print_json
from supervisor.cli.status import PLAIN_WIDTH
from supervisor.cli.status_tables import keys_table
from supervisor.settings.units import say_duration

VERIFY_S = 90.0


@click.group()
def keys() -> None:
    """List the API keys, verify that they work, take them out of use and back."""


@keys.command("list")
@json_option
@asks_daemon
def list_keys(daemon: Daemon, as_json: bool) -> None:
    """Show each key's state, what it has spent, what is left and what went wrong last."""
    answer = daemon.get("/keys")
    found: list[dict[str, Any]] = answer["keys"]
    if as_json:
        print_json(found)
        return
    terminal = Console(file=sys.stdout, highlight=False)
    width = None if terminal.is_terminal else PLAIN_WIDTH
    Console(file=sys.stdout, width=width, highlight=False).print(keys_table(found))
    for key in found:
        for line in _remarks(key, answer.get("now", 0.0)):
            click.echo(f"{key['name']}: {line}")


@keys.command()
@click.argument("name", required=False)
@json_option
@asks_daemon
def verify(daemon: Daemon, name: str | None, as_json: bool) -> None:
    """Obtain a token with every key, or with one, and say how that went.

    Costs one request of each key. A quarantined key that works is used again. Exit 1 when one does not work.
    """
    checks = daemon.ask("POST", "/keys/verify", {"name": name}, timeout_s=VERIFY_S)["keys"]
    if as_json:
        print_json(checks)
    else:
        for key in checks:
            click.echo(f"{key['name']}: {'works' if key['ok'] else 'does not work'}" + _detail(key))
    if not all(key["ok"] for key in checks):
        sys.exit(1)


@keys.command()
@click.argument("name")
@json_option
@asks_daemon
def disable(daemon: Daemon, name: str, as_json: bool) -> None:
    """Take a key out of use and forget its token.

    Requests under way are finished; the others go on with other keys. It stays so over restarts, until
    `gatherer keys enable`.
    """
    _say(daemon.post(f"/keys/{name}/disable"), as_json)


@keys.command()
@click.argument("name")
@json_option
@asks_daemon
def enable(daemon: Daemon, name: str, as_json: bool) -> None:
    """Take a disabled key back into use."""
    _say(daemon.post(f"/keys/{name}/enable"), as_json)


@keys.command()
@click.argument("name")
@json_option
@asks_daemon
def unlock(daemon: Daemon, name: str, as_json: bool) -> None:
    """End a key's park or quarantine, because you know better.

    One request at a time until one is served. What the key has spent stays spent.
    """
    _say(daemon.post(f"/keys/{name}/unlock"), as_json)


def _say(key: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(key)
        return
    click.echo(f"{key['name']}: {key['state']}" + (f" ({key['reason']})" if key["reason"] else ""))


def _detail(key: dict[str, Any]) -> str:
    return f" ({key['detail']})" if key.get("detail") else ""


def _remarks(key: dict[str, Any], now: float) -> Iterator[str]:
    """Yield what the table has no room for: when a spent window frees, and the last error."""
    for window in key["windows"]:
        if window.get("left") == 0 and window.get("frees_in_s", 0) >= 1:
            frees = say_duration(window["frees_in_s"])
            yield f"all {window['limit']:,} of {say_duration(window['per_s'])} are spent; the next is free in {frees}"
    if key.get("last_error"):
        yield f"last error {ago(key.get('last_error_at'), now)}: {key['last_error']}"
