"""`gatherer doctor`: what is wrong, why it matters, and the command that fixes it."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from supervisor.cli.ailments import findings_of_worker
from supervisor.cli.calling import Daemon
from supervisor.cli.diagnosis import Finding, Severity, findings_of_program
from supervisor.cli.finding import control_socket
from supervisor.cli.options import config_option, json_option, print_json
from supervisor.cli.surroundings import look
from supervisor.core.clock import SystemClock
from supervisor.core.errors import UnavailableError
from supervisor.settings.reading import find

STYLES = {Severity.PROBLEM: "bold red", Severity.WARNING: "yellow", Severity.OK: "green"}


@click.command()
@config_option
@click.option("--run-dir", type=click.Path(path_type=Path, file_okay=False), help="The folder of the daemon's sockets.")
@click.option("--all", "show_all", is_flag=True, help="Show what is well, too.")
@json_option
def doctor(config: Path | None, run_dir: Path | None, show_all: bool, as_json: bool) -> None:
    """Look for what is wrong, and say what fixes it.

    In the running Gatherer, its file, this machine, and on the way to the API. Each finding comes with the number
    seen, why it matters and what fixes it. Exit 0 when nothing is wrong or could only be better, 1 when something
    does not work.
    """
    findings = [*_running(config, run_dir), *look(find(os.environ, config), SystemClock())]
    findings.sort(key=lambda finding: finding.severity)
    if as_json:
        print_json({"ok": not _is_ill(findings), "findings": [_json(finding) for finding in findings]})
    else:
        _print(findings, show_all)
    sys.exit(1 if _is_ill(findings) else 0)


def _running(config: Path | None, run_dir: Path | None) -> Iterator[Finding]:
    try:
        status = Daemon(control_socket(config, run_dir, os.environ)).get("/workers")
    except UnavailableError as error:
        yield Finding(
            check="running",
            severity=Severity.PROBLEM,
            seen=str(error),
            why="nothing is gathered",
            fix="systemctl start gatherer, or: gatherer run",
        )
        return
    yield from findings_of_program(status)
    for name, worker in status["workers"].items():
        yield from findings_of_worker(name, worker)


def _is_ill(findings: Sequence[Finding]) -> bool:
    return any(finding.severity is Severity.PROBLEM for finding in findings)


def _json(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "severity": finding.severity.name.lower(),
        "seen": finding.seen,
        "why": finding.why,
        "fix": finding.fix,
    }


def _print(findings: Sequence[Finding], show_all: bool) -> None:
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for finding in findings:
        if finding.severity is Severity.OK and not show_all:
            continue
        style = STYLES[finding.severity]
        console.print(
            f"[{style}]{finding.severity.name.lower()}[/]  [bold]{escape(finding.check)}[/]: {escape(finding.seen)}"
        )
        if finding.why:
            console.print(f"         {escape(finding.why)}")
        if finding.fix:
            console.print(f"         → {escape(finding.fix)}")
    well = sum(finding.severity is Severity.OK for finding in findings)
    hint = "" if show_all or not well else " (--all shows them)"
    console.print(f"{len(findings)} checks: {len(findings) - well} with something to say, {well} well{hint}")
