"""`gatherer export`: a table as a file."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import click

from supervisor.cli.calling import Daemon
from supervisor.cli.options import asks_daemon
from supervisor.cli.progress import bar
from supervisor.core.errors import RefusedError

PAGE = 2000


class Page(NamedTuple):
    """Some rows of a table. total: rows of the whole table, on the first page only."""

    columns: list[str]
    rows: list[list[Any]]
    total: int | None


@click.command()
@click.argument("table")
@click.option("--format", "form", type=click.Choice(("csv", "jsonl")), help="Default: as --output is called, else csv.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Default: standard output.")
@asks_daemon
def export(daemon: Daemon, table: str, form: str | None, output: Path | None) -> None:
    """Write a table as CSV or JSON lines.

    \b
    gatherer export characters -o characters.csv
    gatherer export guild_members --format jsonl | gzip > members.jsonl.gz

    Rows come in the order of their key, each as it stands when its page is read. --output is complete or absent.
    Cells are written as they are stored; one that begins with = may be a formula to a spreadsheet: import as text.
    """
    form = form or ("jsonl" if output and output.suffix in (".jsonl", ".ndjson") else "csv")
    pages = _pages(daemon, table)
    if output is None:
        _write(sys.stdout, pages, form)
        return
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        with partial.open("x", encoding="utf-8", newline="") as file:
            rows = _write(file, _watched(pages), form)
        partial.replace(output)
    except OSError as error:
        raise RefusedError(f"{output}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    click.echo(f"{rows:,} rows in {output}", err=True)


def _pages(daemon: Daemon, table: str) -> Iterator[Page]:
    after: Any = None
    while True:
        page = daemon.get("/export", {"table": table, "limit": PAGE, "after": after})
        yield Page(page["columns"], page["rows"], page.get("total"))
        after = page["next"]
        if after is None:
            return


def _watched(pages: Iterator[Page]) -> Iterator[Page]:
    """Yield the pages, and show how far it is."""
    first = next(pages)
    with bar("Exporting", first.total) as is_written:
        for page in chain([first], pages):
            yield page
            is_written(len(page.rows))


def _write(file: TextIO, pages: Iterator[Page], form: str) -> int:
    """Write all pages; return how many rows."""
    total = 0
    for number, (columns, rows, _) in enumerate(pages):
        if form == "csv":
            file.write(_csv([columns, *rows] if number == 0 else rows))
        else:
            file.writelines(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)
        total += len(rows)
    return total


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
