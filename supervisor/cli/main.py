"""The list of commands. Each is imported when it is called, so `gatherer --help` stays light.

Imports cost: aiohttp 240 ms, structlog 150, rich 90 (measured, notes on libraries); a command pays
only for what it needs.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import click

from supervisor.core.errors import GathererError


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: its module under supervisor.cli (the command has the same name there) and one line of help."""

    section: str
    name: str
    module: str
    help: str


ENTRIES = (
    Entry("Run", "run", "run", "Gather: start the supervisor and stay until stopped."),
    Entry("Run", "demo", "demo", "Gather from a simulated API for under a minute and show what happened."),
    Entry("Run", "simulate", "simulate", "Run the simulated API alone."),
    Entry("Look", "status", "status", "Show workers and keys: how much, how fast, and what limits them."),
    Entry("Look", "top", "top", "Show workers and keys, live, until Ctrl-C."),
    Entry("Look", "doctor", "doctor", "Look for what is wrong, and say what fixes it."),
    Entry("Look", "show", "show", "Show what is known of one entity."),
    Entry("Look", "jobs", "jobs", "List, show, retry or discard jobs."),
    Entry("Look", "export", "export", "Write a table as CSV or JSON lines."),
    Entry("Work", "enqueue", "enqueue", "Add jobs: from arguments, a file or standard input."),
    Entry("Work", "refresh", "refresh", "Refresh one entity now and wait for it."),
    Entry("Work", "scale", "scale", "Change how many jobs at once and processes a worker has."),
    Entry("Work", "pause", "pausing", "Let a worker start no new jobs."),
    Entry("Work", "resume", "pausing", "Let a paused worker start jobs again."),
    Entry("Work", "restart", "pausing", "Replace a worker's replicas one after another."),
    Entry("Set up", "backup", "backup", "Copy databases, journal and configuration, also while everything runs."),
    Entry("Set up", "restore", "restore", "Put a backup in the place of the state."),
    Entry("Set up", "init", "init", "Write a first config.toml, or add keys to the one that is there."),
    Entry("Set up", "import-env", "import_env", "Turn an .env file into settings of the configuration."),
    Entry("Set up", "check", "check", "Say what is wrong with a configuration, without starting anything."),
    Entry("Set up", "plan", "plan", "Say what a configuration will do, and what its targets need."),
    Entry("Set up", "keys", "keys", "List the API keys, verify that they work, take them out of use and back."),
)


class Failure(click.ClickException):
    """Show an error of ours as one sentence and exit with its code."""

    def __init__(self, error: GathererError) -> None:
        super().__init__(str(error))
        self._exit_code = error.exit_code

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click has a class attribute here, one code for all
        """Return the code that our error calls for."""
        return self._exit_code

    def show(self, file: Any = None) -> None:
        """Print the sentence; several problems stand one a line, ready for an editor to jump to."""
        lines = self.message.splitlines()
        click.echo("\n".join(lines) if len(lines) > 1 else f"Error: {self.message}", err=True)


class Commands(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names in the order of ENTRIES."""
        return [entry.name for entry in ENTRIES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None = no such command."""
        for entry in ENTRIES:
            if entry.name == cmd_name:
                module = importlib.import_module(f"supervisor.cli.{entry.module}")
                command: click.Command = getattr(module, entry.name.replace("-", "_"))
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list by section, from the table alone."""
        for section in dict.fromkeys(entry.section for entry in ENTRIES):
            with formatter.section(section):
                formatter.write_dl([(entry.name, entry.help) for entry in ENTRIES if entry.section == section])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our errors become a sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except GathererError as error:
            raise Failure(error) from error


def _say_version(ctx: click.Context, param: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        click.echo(importlib.import_module("supervisor.cli.version").version_line())
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Say what this is, and exit.",
)
def gatherer() -> None:
    """Keep World of Warcraft data fresh, spending every request that the keys allow and not one more.

    Commands about a running Gatherer find it by its configuration: --config, else $GATHERER_CONFIG, else
    ./config/config.toml, else /etc/gatherer/config.toml. Exit codes: 0 done, 1 the answer is no, 2 usage,
    70 internal, 75 try again, 78 configuration.
    """
