"""HTTP/1.1 as bytes: requests are read, answers are written. No sockets here.

Lean on purpose: the simulator shares a machine with what it judges. Requests have Content-Length or no body.
"""

from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl

_REASONS = {int(status): status.phrase for status in HTTPStatus}
JSON_TYPE = b"application/json;charset=UTF-8"
HTML_TYPE = b"text/html"


class MalformedError(ValueError):
    """The bytes are no HTTP/1.1 request."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request. Header names are lower case, path and query still percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants the connection to stay."""
        return self.headers.get("connection", "").lower() != "close"

    @property
    def length(self) -> int:
        """Bytes of body that follow."""
        text = self.headers.get("content-length", "0")
        return int(text) if text.isdecimal() else 0

    @property
    def accepts_gzip(self) -> bool:
        """Whether the answer may be compressed."""
        return "gzip" in self.headers.get("accept-encoding", "")

    def parameters(self) -> dict[str, str]:
        """Return the query, decoded."""
        return dict(parse_qsl(self.query)) if self.query else {}


@dataclass(slots=True, kw_only=True)
class Answer:
    """What goes back. lines: further header lines, each ended by CRLF. modified: seconds since 1970, 0 = none.

    length: what Content-Length says; None = the truth.
    """

    status: int
    body: bytes = b""
    kind: bytes = JSON_TYPE
    lines: list[bytes] = field(default_factory=list)
    zipped: bool = False
    modified: float = 0.0
    length: int | None = None


def read_head(head: bytes) -> Request:
    """Parse a request's head (without the empty line); raises `MalformedError`."""
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise MalformedError(first[:80])
    path, _, query = words[1].partition("?")
    headers = {}
    for line in rest:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(words[0], path, query, headers)


def write(answer: Answer, *, now: float, one_digit_days: bool = False) -> bytes:
    """Return the answer's bytes. now: for `Date`, seconds since 1970."""
    length = len(answer.body) if answer.length is None else answer.length
    parts = [
        _status_line(answer.status),
        b"Content-Type: %b\r\nContent-Length: %d\r\nDate: %b\r\n" % (answer.kind, length, date(int(now))),
        *answer.lines,
    ]
    if answer.zipped:
        parts.append(b"Content-Encoding: gzip\r\n")
    if answer.modified:
        parts.append(b"Last-Modified: %b\r\n" % date(int(answer.modified), one_digit_days))
    parts += (b"\r\n", answer.body)
    return b"".join(parts)


@lru_cache(maxsize=4096)
def date(at: int, one_digit_day: bool = False) -> bytes:
    """Return an HTTP date; the API sometimes writes days of one digit (recorded 2020-10-03)."""
    text = formatdate(at, usegmt=True)
    return (text.replace(", 0", ", ", 1) if one_digit_day else text).encode()


@lru_cache(maxsize=4096)
def read_date(text: str) -> float:
    """Return the seconds since 1970 of an HTTP date, however many digits its day has; 0 when it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return 0.0


@lru_cache(maxsize=64)
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}\r\n".encode()
