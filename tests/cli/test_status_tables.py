"""The status for a terminal, drawn from a real status."""

from typing import Any

from rich.console import Console

from supervisor.cli.status_tables import draw
from supervisor.control.status import status_of
from tests.control.snapshots import moved_of, snapshot_of
from tests.support.clock import FakeClock


def drawn(clock: FakeClock, **more: Any) -> str:
    console = Console(width=200, record=True, file=None, quiet=False)
    with console.capture() as captured:
        for part in draw(status_of(snapshot_of(clock, **more))):
            console.print(part)
    return captured.get()


def test_it_says_who_moved_concurrency_and_why_it_stays(clock: FakeClock) -> None:
    text = drawn(clock, autoscale={"characters": moved_of(since=clock.wall() - 60)})
    assert "2 (auto)" in text
    assert "characters: moved to 7 by autoscale 1 min ago: 1,240 jobs wait and the keys have room" in text
    assert "characters stays at 7: every permit finds a slot" in text


def test_without_autoscale_it_says_nothing_of_it(clock: FakeClock) -> None:
    assert "stays at" not in drawn(clock)
