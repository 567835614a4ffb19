"""`gatherer keys`: the API keys, and whether they work."""

import sys
from typing import Any

import click
from rich.console import Console

from supervisor.cli.calling import Daemon
from supervisor.cli.options import asks_daemon, json_option, print_json
from supervisor.cli.status import PLAIN_WIDTH
from supervisor.cli.status_tables import keys_table

VERIFY_S = 90.0


@click.group()
def keys() -> None:
    """List the API keys, or verify that they work."""


@keys.command("list")
@json_option
@asks_daemon
def list_keys(daemon: Daemon, as_json: bool) -> None:
    """Show each key's state and what it has spent."""
    found: list[dict[str, Any]] = daemon.get("/keys")["keys"]
    if as_json:
        print_json(found)
        return
    terminal = Console(file=sys.stdout, highlight=False)
    width = None if terminal.is_terminal else PLAIN_WIDTH
    Console(file=sys.stdout, width=width, highlight=False).print(keys_table(found))


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


def _detail(key: dict[str, Any]) -> str:
    return f" ({key['detail']})" if key.get("detail") else ""
