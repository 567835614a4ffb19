"""gatherer(1), made from the commands themselves."""

import re
from collections.abc import Iterator

import click

from scripts.packaging import source
from supervisor.cli.main import ENTRIES, gatherer

HEAD = """\
.TH GATHERER 1 "" "gatherer {version}" "User Commands"
.SH NAME
gatherer \\- keep World of Warcraft data fresh from the Blizzard API
.SH SYNOPSIS
.B gatherer
.I COMMAND
[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]
.SH DESCRIPTION
"""
TAIL = """\
.SH FILES
.TP
.I /etc/gatherer/config.toml
The configuration of the installed service. A saved edit takes effect within a second.
.TP
.I /etc/gatherer/keys.d/*.toml
API keys, in files that only the service may read.
.TP
.I /var/lib/gatherer
Databases, limiter journal, backups.
.TP
.I /usr/share/doc/gatherer
Operations, every setting with its default, changes.
.SH EXIT STATUS
0 done, 1 the answer is no, 2 usage, 70 internal, 75 try again, 78 configuration.
"""


def page() -> str:
    """Return the page as roff."""
    context = click.Context(gatherer, info_name="gatherer")
    parts = [HEAD.format(version=source.VERSION), _text(gatherer.help or ""), ".SH COMMANDS\n"]
    for entry in ENTRIES:
        command = gatherer.get_command(context, entry.name)
        if command is not None:
            parts += _command(command, click.Context(command, info_name=entry.name, parent=context))
    return "".join([*parts, TAIL])


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {_escape(f'{context.command_path} {usage}')}\n"
    yield _text(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            yield f".TP\n.B {_escape(record[0])}\n{_escape(record[1])}\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _command(inner, click.Context(inner, info_name=name, parent=context))


def _text(text: str) -> str:
    """Return paragraphs as roff."""
    return ".PP\n".join(_escape(part.strip()) + "\n" for part in re.split(r"\n\s*\n", text))


def _escape(text: str) -> str:
    plain = re.sub(r"\s+", " ", text).replace("\\", "\\\\").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
