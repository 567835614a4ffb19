"""`gatherer scale`: how many jobs at once and processes a worker has from now on."""

import sys
from typing import Any

import click

from supervisor.cli.calling import Daemon
from supervisor.cli.options import asks_daemon, json_option, print_json

NOT_IN_FORCE = 75


@click.command()
@click.argument("worker")
@click.option("--concurrency", metavar="N|+1|-1|auto", help="Jobs at once in each replica.")
@click.option("--replicas", metavar="N|+1|-1", help="Processes.")
@json_option
@asks_daemon
def scale(daemon: Daemon, worker: str, concurrency: str | None, replicas: str | None, as_json: bool) -> None:
    """Change how many jobs at once and processes a worker has.

    Writes the setting where [server] edits says (config.toml, with its comments) and returns when it is in
    force: new replicas are ready, surplus ones finish what they have. Exit 75: not in force after 30 s.
    """
    if concurrency is None and replicas is None:
        raise click.UsageError("give --concurrency, --replicas or both")
    asked = {"concurrency": _value(concurrency), "replicas": _value(replicas)}
    body = {"worker": worker} | {name: value for name, value in asked.items() if value is not None}
    answer = daemon.post("/workers/concurrency", body=body)
    if as_json:
        print_json(answer)
    else:
        _say(answer)
    if not answer["in_force"]:
        sys.exit(NOT_IN_FORCE)


def _value(text: str | None) -> int | str | None:
    """Return a plain number as such; steps and words go as they are, for the daemon to judge."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() else text


def _say(answer: dict[str, Any]) -> None:
    desired, effective = answer["desired"], answer["effective"]
    sizes = ", ".join(
        f"{name} {desired[name]}" + (f" (now {effective[name]})" if effective[name] != desired[name] else "")
        for name in ("concurrency", "replicas")
    )
    where = f", kept in {' and '.join(answer['kept_in'])}" if answer["changed"] else ", as it was"
    click.echo(f"{answer['worker']}: {sizes}; took {answer['took_ms']} ms{where}")
    for warning in answer["warnings"]:
        click.echo(f"warning: {warning}", err=True)
