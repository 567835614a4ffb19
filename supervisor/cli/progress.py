"""A bar with what is done and what is left, on stderr, when somebody watches; nothing in pipes and logs."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextlib.contextmanager
def bar(doing: str, total: int | None, *, unit: str = "things") -> Iterator[Callable[[int], object]]:
    """Give a function that says how many more are done. total: None = nobody knows. unit: "bytes" are drawn as such."""
    console = Console(stderr=True)
    done = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn(doing), BarColumn(), done, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(doing, total=total)
        yield lambda n: progress.advance(task, n)
