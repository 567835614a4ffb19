"""`gatherer show`: what is known of one entity."""

import contextlib
import json
from typing import Any

import click

from supervisor.cli.calling import Daemon
from supervisor.cli.human import ago, moment
from supervisor.cli.options import asks_daemon, json_option, print_json
from supervisor.core.clock import SystemClock
from supervisor.core.text import printable

MAX_ROWS = 20


@click.command()
@click.argument("entity")
@click.option("--worker", help="Whose view; default: the first worker that has data about it.")
@click.option("--all", "show_all", is_flag=True, help=f"Show more than {MAX_ROWS} rows of a kind.")
@json_option
@asks_daemon
def show(daemon: Daemon, entity: str, worker: str | None, show_all: bool, as_json: bool) -> None:
    """Show what is known of one entity.

    Its fields, how fresh each part is, and its history. Exit 1 when nothing is stored about it.
    """
    found = daemon.get(f"/entities/{entity}", {"worker": worker})
    if as_json:
        print_json(found)
        return
    now = SystemClock().wall()
    click.echo(f"{found['entity']} ({found['worker']})")
    for statement, rows in found["rows"].items():
        if rows:
            click.echo()
            click.echo("\n".join(_section(_title(statement), rows, now, None if show_all else MAX_ROWS)))


def _title(statement: str) -> str:
    """Return a heading: characters_show → "", characters_show_history → "history"."""
    return statement.partition("_show")[2].strip("_").replace("_", " ")


def _section(title: str, rows: list[dict[str, Any]], now: float, limit: int | None) -> list[str]:
    if len(rows) == 1 and not title:
        return _fields(rows[0], now)
    lines = [title.upper() or f"{len(rows)} ROWS"]
    lines += ["  " + _one_line(row, now) for row in rows[:limit]]
    hidden = len(rows) - len(lines) + 1
    return lines + ([f"  … and {hidden:,} more (--all)"] if hidden else [])


def _lists(row: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the columns that hold a list: SQLite hands them over as JSON text."""
    found: dict[str, list[Any]] = {}
    for name, value in row.items():
        if isinstance(value, str) and value.startswith("["):
            with contextlib.suppress(ValueError):
                found[name] = json.loads(value)
    return found


def _fields(row: dict[str, Any], now: float) -> list[str]:
    """Return plain fields, then how fresh each part is (columns `<part>_success_at`)."""
    fresh = {name.removesuffix("_success_at"): value for name, value in row.items() if name.endswith("_success_at")}
    lists = _lists(row)
    known = {name: value for name, value in row.items() if value not in (None, "") and name not in lists}
    rest = {name: value for name, value in known.items() if not name.endswith("_success_at")}
    width = max((len(name) for name in (*rest, *fresh)), default=0) + 2
    lines = [f"  {name:{width}}{_value(name, value, now)}" for name, value in rest.items()]
    if fresh:
        lines += ["", "FRESH", *(f"  {part:{width}}{ago(value, now)}" for part, value in fresh.items())]
    for name, items in lists.items():
        if items:
            lines += ["", _title(f"_show_{name}").upper(), *(f"  {_item(item, now)}" for item in items)]
    return lines


def _item(item: Any, now: float) -> str:
    return _one_line(item, now) if isinstance(item, dict) else printable(str(item))


def _one_line(row: dict[str, Any], now: float) -> str:
    return "  ".join(f"{name} {_value(name, value, now)}" for name, value in row.items() if value not in (None, ""))


def _value(name: str, value: Any, now: float) -> str:
    if name.endswith(("_at", "_since", "_until", "_from")) and isinstance(value, int | float):
        return f"{moment(value)} ({ago(value, now)})"
    is_large = isinstance(value, int) and abs(value) >= 10_000 and not name.endswith("id")
    return f"{value:,}" if is_large else printable(str(value))
