"""`gatherer simulate`: the simulated API alone, in place of this process."""

import os

import click

from supervisor.core.program import child_command


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Run the simulated API alone.

    All arguments are the simulator's own; --help shows them. It prints one JSON line with its addresses.
    """
    command = child_command("simulator", *arguments)
    os.execv(command[0], command)
