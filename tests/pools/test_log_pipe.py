"""Bytes of a child become bounded lines."""

import asyncio
import os

from supervisor.pools.log_pipe import LINES_BURST, LINES_PER_S, MAX_LINE_BYTES, LogLines, LogPipe
from tests.support.clock import FakeClock


def test_lines_are_cut_at_newlines_across_reads() -> None:
    lines = LogLines(0.0)
    assert lines.feed(b"one\ntw", 0.0) == ["one"]
    assert lines.feed(b"o\n\n  \nthree", 0.0) == ["two"]
    assert lines.finish() == ["three"]


def test_long_line_is_cut_and_its_rest_skipped() -> None:
    lines = LogLines(0.0)
    first = lines.feed(b"x" * (MAX_LINE_BYTES + 1), 0.0)
    assert first == ["x" * MAX_LINE_BYTES + " …"]
    assert lines.feed(b"x" * 100_000, 0.0) == []
    assert lines.feed(b"x\nnext\n", 0.0) == ["next"]


def test_broken_utf8_is_shown_not_raised() -> None:
    assert LogLines(0.0).feed(b"caf\xe9\n", 0.0) == ["caf\ufffd"]


def test_lines_above_the_rate_are_dropped_and_counted() -> None:
    lines = LogLines(0.0)
    flood = b"x\n" * 1000
    assert len(lines.feed(flood, 0.0)) == LINES_BURST
    assert lines.dropped == 1000 - LINES_BURST
    assert len(lines.feed(flood, 1.0)) == LINES_PER_S


async def test_pipe_gives_its_last_words_when_closed(clock: FakeClock) -> None:
    reading, writing = os.pipe()
    lines: list[str] = []
    pipe = LogPipe(reading, clock, lines.append, lambda n: None)
    os.write(writing, b"Traceback:\nboom")
    os.close(writing)
    pipe.close()
    pipe.close()
    assert lines == ["Traceback:", "boom"]


async def test_flood_is_taken_in_bounded_bites_and_counted(clock: FakeClock) -> None:
    reading, writing = os.pipe()
    lines: list[str] = []
    dropped: list[int] = []
    pipe = LogPipe(reading, clock, lines.append, dropped.append)
    os.set_blocking(writing, False)
    for _ in range(5):  # a writer that fills the pipe finds it empty again a moment later
        os.write(writing, b"x" * 99 + b"\n" * 1 + b"y\n" * 20_000)
        await asyncio.wait_for(_can_write(writing), 5)
    os.close(writing)
    pipe.close()
    assert len(lines) == LINES_BURST
    assert sum(dropped) > 1000


async def _can_write(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(fd)
