"""`gatherer demo`: see it work in under a minute, without a key and without the network.

1. start the simulated API, then the supervisor with `config/demo.toml`, as children;
2. watch: an empty database fills itself from leaderboards, realms and item ranges;
3. after --seconds, or when nothing is left to do: pause, let executing jobs end, count what is left;
4. drain the supervisor, ask the simulator what it saw, and print both beside each other.
"""

import functools
import json
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import click
from rich.console import Console, Group
from rich.live import Live

from supervisor.cli.calling import Daemon
from supervisor.cli.closing import Counts, as_json, keys_table, sentences
from supervisor.cli.closing import workers_table as closing_workers
from supervisor.cli.options import print_json
from supervisor.cli.programs import START_S, Interruption, Program, simulator, supervisor, unavailable
from supervisor.cli.sample import Sample, executing, line
from supervisor.cli.status_tables import workers_table
from supervisor.core.clock import SystemClock
from supervisor.core.errors import GathererError, UnavailableError

LOOK_EVERY_S = 0.5
SAY_EVERY_S = 5.0
SETTLE_S = 20.0
TALLY_S = 2.5  # replicas report what they counted every second or two
INTERRUPTED = 130

Wait: TypeAlias = Callable[[float], None]


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 3600), default=40.0, show_default=True, help="How long to gather.")
@click.option("--keep", is_flag=True, help="Keep the folder with configuration, database and logs.")
@click.option("--json", "is_json", is_flag=True, help="Print the closing counts as JSON.")
def demo(seconds: float, keep: bool, is_json: bool) -> None:
    """Gather from a simulated API for under a minute and show what happened.

    Exit 0 when every promise was kept: no answer 429, no job lost.
    """
    interruption = Interruption()
    console = Console(stderr=is_json, highlight=False)
    folder = _folder()
    try:
        counts = _run(folder, seconds, console, interruption)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        sys.exit(INTERRUPTED)
    except GathererError:
        keep = True  # the logs tell more than the message
        console.print(f"Logs are in {folder}")
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    _close(counts, console, is_json)
    if keep:
        console.print(f"Kept: {folder}")
    sys.exit(0 if counts.is_good else 1)


def _folder() -> Path:
    parent = Path("var/demo")
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="run-", dir=parent)).absolute()


def _run(folder: Path, seconds: float, console: Console, interruption: Interruption) -> Counts:
    with ExitStack() as stack:
        console.print("Starting the simulated API and Gatherer …")
        api, addresses = stack.enter_context(simulator(folder))
        program, run_dir = stack.enter_context(supervisor(folder, addresses))
        daemon = Daemon(run_dir / "control.sock")
        programs = (api, program)
        wait = functools.partial(_wait, programs, interruption)
        _wait_until_ready(daemon, program, wait)
        console.print(_invitation(folder, program), soft_wrap=True)
        sample = _watch(daemon, wait, seconds, console)
        console.print("Pausing; jobs that execute may end …")
        status, queues = _settle(daemon, wait)
        code = program.stop()
        if code != 0:
            raise GathererError(f"the supervisor's drain ended with exit code {code}:\n{program.tail()}")
        return Counts(sample=sample, status=status, queues=queues, judge=_judge(addresses["base_url"]))


def _invitation(folder: Path, program: Program) -> str:
    """Return where it can be watched and changed meanwhile."""
    started = (line for line in program.log.read_text().splitlines() if '"control_started"' in line)
    port = next((json.loads(line)["port"] for line in started), None)
    watch = f"Watch it at http://127.0.0.1:{port}/, or" if port else "To change it,"
    return f"{watch} edit a number in {folder / 'config.toml'} and save: it follows within a second."


def _wait_until_ready(daemon: Daemon, program: Program, wait: Wait) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + START_S
    while not _is_ready(daemon):
        if clock.monotonic() >= deadline:
            raise unavailable(program)
        wait(0.1)


def _is_ready(daemon: Daemon) -> bool:
    try:
        return bool(daemon.get("/readyz", timeout_s=5.0)["ready"])
    except UnavailableError:  # no socket yet
        return False


def _watch(daemon: Daemon, wait: Wait, seconds: float, console: Console) -> Sample:
    clock = SystemClock()
    sample = Sample(started_at=clock.monotonic(), seconds=seconds)
    with _progress(console) as show:
        while not sample.is_over:
            wait(LOOK_EVERY_S)
            status = daemon.get("/workers")
            sample.look(status, clock.monotonic())
            show(sample, status)
    return sample


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    """Give show(sample, status): a table that is redrawn on a terminal, else a line now and then."""
    said_at = 0.0

    def say(sample: Sample, status: dict[str, Any]) -> None:
        nonlocal said_at
        if sample.elapsed_s - said_at >= SAY_EVERY_S:
            said_at = sample.elapsed_s
            console.print(line(sample, status), soft_wrap=True)

    if not console.is_terminal:
        yield say
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda sample, status: live.update(_drawing(sample, status), refresh=True)


def _drawing(sample: Sample, status: dict[str, Any]) -> Group:
    return Group(f"{sample.elapsed_s:.0f} of {sample.seconds:.0f} s\n", workers_table(status["workers"]))


def _settle(daemon: Daemon, wait: Wait) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pause every worker and wait for what executes; return the last status and the database's queues."""
    clock = SystemClock()
    deadline = clock.monotonic() + SETTLE_S
    for worker in daemon.get("/workers")["workers"]:
        daemon.post(f"/workers/{worker}/pause")
    while executing(daemon.get("/workers")) and clock.monotonic() < deadline:
        wait(LOOK_EVERY_S)
    wait(TALLY_S)
    return daemon.get("/workers"), daemon.get("/queues")["queues"]


def _wait(programs: Sequence[Program], interruption: Interruption, seconds: float) -> None:
    """Return after `seconds`. GathererError as soon as one of the programs has ended."""
    interruption.check()
    for program in programs[:-1]:
        program.check()
    programs[-1].wait(seconds)


def _judge(base_url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{base_url}/_simulator/statistics", timeout=10.0) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _close(counts: Counts, console: Console, is_json: bool) -> None:
    if is_json:
        print_json(as_json(counts))
        return
    width = None if console.is_terminal else 160
    closing = Console(width=width, highlight=False)
    for part in (closing_workers(counts), "", keys_table(counts), "", *sentences(counts)):
        closing.print(part)
