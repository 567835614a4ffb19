"""`gatherer simulate`: the simulated API alone, in place of this process."""

import os
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Run the simulated API alone.

    All arguments are the simulator's own; --help shows them. It prints one JSON line with its addresses.
    """
    os.execv(sys.executable, [sys.executable, "-m", "jobs.simulator", *arguments])
