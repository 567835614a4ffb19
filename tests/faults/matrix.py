"""Every way in which an answer can be wrong, and what must become of a job that gets nothing else.

    Row(fault, what becomes of the job, a word of its error, how the permits end)

A job of each worker meets each fault at its first request. Whatever the row: nothing that means fresh, gone or
published may move, and the next run after the fault brings all of it up to date (`test_matrix.py`).
"""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from supervisor.core.messages.replica_supervisor import ANSWERED, NOT_SENT, UNKNOWN

MEGABYTE = 1 << 20
RETRY, UNPARSED = frozenset({"retry", "snooze"}), frozenset({"unparsed"})
"""A job that cannot go on comes again; without an attempt spent when meanwhile the host counts as down."""
SHORT_S = 0.25
"""For faults that only the timeout ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """fates: (fate, status) that permits may end with. api: what replicas are told of the API instead."""

    name: str
    fault: dict[str, Any]
    fates: frozenset[tuple[int, int]]
    outcomes: frozenset[str] = RETRY
    says: str = ""
    api: dict[str, Any] = field(default_factory=dict)


def answered(name: str, fault: dict[str, Any], says: str, status: int = 200, **more: Any) -> Row:
    """The headers came, so the request is counted as of then."""
    return Row(name=name, fault=fault, says=says, fates=frozenset({(ANSWERED, status)}), **more)


def lost(name: str, fault: dict[str, Any], says: str, **more: Any) -> Row:
    """Nobody knows whether the API counts the request, so it lingers."""
    return Row(name=name, fault=fault, says=says, fates=frozenset({(UNKNOWN, 0)}), **more)


def unsent(name: str, says: str, **api: Any) -> Row:
    """No byte has left."""
    return Row(name=name, fault={"do": "plain"}, says=says, fates=frozenset({(NOT_SENT, 0)}), api=api)


def status(code: int, **more: Any) -> dict[str, Any]:
    return {"do": "status", "status": code} | more


def body(text: bytes, **more: Any) -> dict[str, Any]:
    return {"do": "status", "status": 200, "body_base64": b64encode(text).decode()} | more


def slow(**fault: Any) -> dict[str, Any]:
    return {"fault": fault, "api": {"timeout_s": SHORT_S}}


NESTED = b'{"id":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
ELSEWHERE = {"Location": "http://127.0.0.1:9/elsewhere"}

ROWS = [
    # Statuses
    answered("401 always", status(401), "HTTP 401", 401),
    answered("403", status(403), "HTTP 403", 403),
    answered("403 in HTML", status(403, body="<html>"), "HTTP 403", 403),
    answered("404 without a body", {"do": "empty404"}, "without the API's body", 404),
    answered("404 in HTML", status(404, body="<html>"), "without the API's body", 404),
    answered("404 that says 403", status(404, body='{"code":403}'), "without the API's body", 404),
    answered("410", status(410), "HTTP 410", 410),
    answered("429 always", status(429), "6 tries", 429),
    answered("429 always, later", status(429, retry_after=7), "6 tries", 429),
    answered("500", status(500), "HTTP 500", 500),
    answered("502", status(502), "HTTP 502", 502),
    answered("503, later", status(503, retry_after="9" * 400), "HTTP 503", 503),
    answered("504", status(504), "HTTP 504", 504),
    answered("204", status(204, body=""), "HTTP 204", 204),
    answered("206", status(206, body="{}"), "HTTP 206", 206),
    answered("302 to another host", status(302, body="", headers=ELSEWHERE), "HTTP 302", 302),
    answered("999", status(999, body=""), "HTTP 999", 999),
    # Bodies of a 200 that are not the API's word
    answered("HTML", {"do": "html"}, "no JSON"),
    answered("nothing", body(b""), "no JSON"),
    answered("half of the JSON", {"do": "malformed"}, "no JSON"),
    answered("half of the bytes", {"do": "stump"}, ""),
    answered("not a number", body(b'{"id":NaN}'), "no JSON"),
    answered("UTF-16", body('{"id":1}'.encode("utf-16")), "no JSON"),
    answered("two values", body(b"{}{}"), "200 with"),
    answered("nested without measure", body(NESTED), "no JSON"),
    answered("a compression not asked for", {"do": "plain", "headers": {"Content-Encoding": "b\xff"}}, "not asked for"),
    answered("gzip that is none", body(b"{}", headers={"Content-Encoding": "gzip"}), "gzip"),
    answered("small gzip, huge body", {"do": "bomb", "bytes": 300 * MEGABYTE}, "too large"),
    answered("100 MB", {"do": "endless", "bytes": 100 * MEGABYTE}, "too large"),
    answered("without end", {"do": "endless"}, "too large"),
    # JSON of another shape
    answered("an array", body(b"[]"), "Expected `object`", outcomes=UNPARSED),
    answered("null", body(b"null"), "Expected `object`", outcomes=UNPARSED),
    # Connections
    answered("ends in the middle", {"do": "cut"}, "connection"),
    answered("resets in the middle", {"do": "tear"}, "connection"),
    answered("says more bytes than come", says="timeout", **slow(do="lie", bytes=10)),
    lost("resets before the answer", {"do": "reset"}, ""),
    lost("ends before the answer", {"do": "close"}, ""),
    lost("never answers", says="", **slow(do="delay", seconds=60)),
    lost("a byte at a time", says="", **slow(do="slow", seconds=60)),
    lost("an endless line of a header", {"do": "plain", "headers": {"X": "x" * 100_000}}, ""),
    lost("a thousand headers", {"do": "plain", "headers": {f"X-{n}": "x" * 100 for n in range(1000)}}, ""),
    unsent("nobody listens", "unreachable", base_url="http://127.0.0.1:9"),
]

PASSING = [
    # What costs requests, or nothing, and the job goes on.
    ("401 once", status(401, times=1)),
    ("429 once", status(429, times=1)),
    ("429 once, Retry-After 5", status(429, times=1, retry_after=5)),
    ("429 once, Retry-After soon", status(429, times=1, retry_after="soon")),
    ("429 once, Retry-After -5", status(429, times=1, retry_after=-5)),
    ("429 once, Retry-After without end", status(429, times=1, retry_after="9" * 400)),
    ("429 once, Retry-After a date", status(429, times=1, retry_after="Wed, 21 Oct 2099 07:28:00 GMT")),
    ("reset once", {"do": "reset", "times": 1}),
    ("ends before the answer, once", {"do": "close", "times": 1}),
    ("another Content-Type", {"do": "plain", "headers": {"Content-Type": "text/html; charset=utf-16"}}),
    ("no Content-Type", {"do": "plain", "headers": {"Content-Type": ""}}),
    ("a hundred headers", {"do": "plain", "headers": {f"X-{n}": "x" * 50 for n in range(100)}}),
    ("no Last-Modified", {"do": "undated"}),
    ("Last-Modified with one digit", {"do": "dated", "date": "Sat, 3 Oct 2020 4:05:06 GMT"}),
    ("Last-Modified that is none", {"do": "dated", "date": "yesterday \xff"}),
    ("Last-Modified beyond the calendar", {"do": "dated", "date": "Sat, 03 Oct 99999 10:00:00 GMT"}),
    ("Last-Modified of the future", {"do": "dated", "date": "Sat, 03 Oct 2099 10:00:00 GMT"}),
]
