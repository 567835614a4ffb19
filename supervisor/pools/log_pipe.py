"""The pipe behind a child's stdout and stderr: bytes in, bounded lines out.

A child that floods is slowed to what we read (it blocks in write, but never for ever), costs a fixed
share of our loop, and keeps at most one unfinished line in memory. Lines over the rate are dropped
and counted.
"""

import asyncio
import os
from collections.abc import Callable

from supervisor.core.clock import Clock

MAX_LINE_BYTES = 8 * 1024
READ_BYTES = 64 * 1024  # what a pipe holds
PAUSE_S = 0.02  # between two reads: at most 3.2 MB/s from one child
LINES_PER_S = 20.0
LINES_BURST = 200.0
REPORT_EVERY_S = 1.0


class LogLines:
    """Cut bytes into lines of at most MAX_LINE_BYTES and let through what the rate allows.

    `dropped`: lines lost since the owner last set it to 0.
    """

    def __init__(self, now: float) -> None:
        self._partial = bytearray()
        self._skipping = False  # inside a line whose head has been handed out already
        self._tokens = LINES_BURST
        self._at = now
        self.dropped = 0

    def feed(self, data: bytes, now: float) -> list[str]:
        """Return the lines that `data` completes; a long line is cut, its rest is skipped."""
        self._tokens = min(LINES_BURST, self._tokens + (now - self._at) * LINES_PER_S)
        self._at = now
        *whole, rest = data.split(b"\n")
        lines = [line for part in whole for line in self._end_line(part)]
        return lines + self._begin_line(rest)

    def finish(self) -> list[str]:
        """Return the unfinished line at the end of the stream."""
        return self._end_line(b"")

    def _end_line(self, part: bytes) -> list[str]:
        if self._skipping:
            self._skipping = False
            return []
        line = bytes(self._partial) + part
        self._partial.clear()
        return self._admit(line)

    def _begin_line(self, part: bytes) -> list[str]:
        if self._skipping:
            return []
        self._partial += part
        if len(self._partial) <= MAX_LINE_BYTES:
            return []
        line = bytes(self._partial)
        self._partial.clear()
        self._skipping = True
        return self._admit(line)

    def _admit(self, line: bytes) -> list[str]:
        if not line.strip():
            return []
        if self._tokens < 1.0:
            self.dropped += 1
            return []
        self._tokens -= 1.0
        text = line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip()
        return [text + " …" if len(line) > MAX_LINE_BYTES else text]


class LogPipe:
    """Read a pipe on the event loop until it ends or is closed.

    emit(line) and dropped(lines) are called from the loop. Takes over `fd`.
    """

    def __init__(self, fd: int, clock: Clock, emit: Callable[[str], None], dropped: Callable[[int], None]) -> None:
        self._fd = fd
        self._clock = clock
        self._emit = emit
        self._report = dropped
        self._lines = LogLines(clock.monotonic())
        self._reported_at = clock.monotonic()
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        os.set_blocking(fd, False)
        self._loop.add_reader(fd, self._readable)

    def close(self) -> None:
        """Take what the pipe still holds and close it. Safe when called twice."""
        if self._fd < 0:
            return
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._fd)
        self._read()  # the last words: a pipe holds no more than one read
        for line in self._lines.finish():
            self._emit(line)
        self._tell_dropped()
        os.close(self._fd)
        self._fd = -1

    def _readable(self) -> None:
        self._loop.remove_reader(self._fd)
        if self._read():
            self._pause = self._loop.call_later(PAUSE_S, self._loop.add_reader, self._fd, self._readable)

    def _read(self) -> bool:
        """Take one read's worth; False at the end of the stream."""
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return True
        now = self._clock.monotonic()
        for line in self._lines.feed(data, now):
            self._emit(line)
        if now - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = now
            self._tell_dropped()
        return bool(data)

    def _tell_dropped(self) -> None:
        if self._lines.dropped:
            self._report(self._lines.dropped)
            self._lines.dropped = 0
