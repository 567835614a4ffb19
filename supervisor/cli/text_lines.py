"""Lines of text out of any stream of bytes, one at a time, with bounds: a binary or endless line is an error."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from supervisor.core.errors import UsageError

MAX_LINE_BYTES = 64 * 1024
BOM = b"\xef\xbb\xbf"


def text_lines(stream: BinaryIO, read: Callable[[int], object] = lambda _: None) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text without its end) for each line that says something.

    Blank lines and lines that begin with # are counted and left out. `read` gets the bytes of each line.
    UsageError names the line that is no text or too long; nothing can be made of the rest then.
    """
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        read(len(raw))
        if number == 1:
            raw = raw.removeprefix(BOM)
        if len(raw) > MAX_LINE_BYTES:
            raise UsageError(f"line {number}: longer than {MAX_LINE_BYTES:,} bytes")
        text = _decode(number, raw).strip()
        if text and not text.startswith("#"):
            yield number, text


def _decode(number: int, raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"line {number}: not UTF-8 text") from error
    if "\x00" in text:
        raise UsageError(f"line {number}: not UTF-8 text (it has a NUL byte)")
    return text
