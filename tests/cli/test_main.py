"""The list of commands, and how errors end."""

import importlib
import inspect
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from supervisor.cli.__main__ import CHILDREN
from supervisor.cli.main import ENTRIES, Entry, gatherer
from supervisor.core.program import child_command

HEAVY = ("aiohttp", "rich", "structlog", "prometheus_client", "psutil", "uvloop", "tomlkit")


def test_help_groups_the_commands_in_order() -> None:
    text = CliRunner().invoke(gatherer, ["--help"]).output
    places = [text.index(f"\n{section}:\n") for section in ("Run", "Look", "Work", "Set up")]
    assert places == sorted(places)
    assert all(f"\n  {entry.name} " in text for entry in ENTRIES)


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from supervisor.cli.main import gatherer; gatherer(['--help'], standalone_mode=False)\n"
    code += f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.name != "run"], ids=lambda entry: entry.name)
def test_each_command_exists_and_says_what_the_list_says(entry: Entry) -> None:
    with gatherer.make_context("gatherer", ["--help-not"], ignore_unknown_options=True, allow_extra_args=True) as ctx:
        command = gatherer.get_command(ctx, entry.name)
    assert command is not None and command.help is not None
    assert command.help.split("\n\n")[0].replace("\n", " ") == entry.help


def test_without_a_daemon_a_command_says_so_and_exits_75(tmp_path: Path) -> None:
    done = CliRunner().invoke(gatherer, ["status", "--run-dir", str(tmp_path)])
    assert done.exit_code == 75
    assert "no Gatherer is running" in done.stderr
    assert "gatherer run" in done.stderr


def test_a_socket_that_nobody_serves_any_more_is_75_too(tmp_path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(tmp_path / "control.sock"))
    left_over.close()
    done = CliRunner().invoke(gatherer, ["status", "--run-dir", str(tmp_path)])
    assert (done.exit_code, "no Gatherer is running" in done.stderr) == (75, True)


def test_usage_mistakes_exit_2() -> None:
    assert CliRunner().invoke(gatherer, ["refresh"]).exit_code == 2
    assert CliRunner().invoke(gatherer, ["frobnicate"]).exit_code == 2


def test_children_are_started_as_this_very_program() -> None:
    command = child_command("simulator", "--help")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "usage: gatherer simulate" in done.stdout


def test_every_child_has_a_main_that_takes_arguments() -> None:
    for module in CHILDREN.values():
        assert list(inspect.signature(importlib.import_module(module).main).parameters) in (["arguments"], ["argv"])


def test_version_says_what_is_beneath() -> None:
    done = CliRunner().invoke(gatherer, ["--version"])
    assert done.exit_code == 0
    assert done.output.startswith("gatherer ")
    assert f"SQLite {sqlite3.sqlite_version}" in done.output
