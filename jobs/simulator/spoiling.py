"""What a fault makes of an answer: another one, or the right one spoilt, or bytes that are none. See `faults`."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, repeat

from isal import isal_zlib

from jobs.simulator import refusals
from jobs.simulator.faults import Fault
from jobs.simulator.http1 import Answer
from jobs.simulator.packing import gzip
from jobs.simulator.server import Exchange

_GZIP = 31
_PIECE_BYTES = 65_536
_ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n"


def ends(exchange: Exchange, fault: Fault) -> bool:
    """Do what a fault does instead of any answer; tell whether it did."""
    if fault.do == "reset":
        exchange.reset()
    elif fault.do == "close":
        exchange.hang_up()
    elif fault.do == "endless":
        exchange.pour(chain([_ENDLESS_HEAD], _chunks(fault.bytes)))
    else:
        return False
    return True


def canned(fault: Fault) -> Answer | None:
    """Return the answer that a fault gives instead of the resource, None when it spoils the real one."""
    if fault.do == "empty404":
        return refusals.empty(404)
    if fault.do == "html":
        return refusals.page(200)
    if fault.do == "bomb":
        return Answer(status=200, body=_bomb(fault.bytes), zipped=True)
    if fault.do != "status":
        return None
    answer = refusals.refusal(fault.status)
    if fault.body is not None:
        answer = Answer(status=fault.status, body=fault.body.encode())
    if fault.body_base64 is not None:
        answer = Answer(status=fault.status, body=b64decode(fault.body_base64))
    if fault.retry_after is not None:
        answer.lines.append(f"Retry-After: {fault.retry_after}\r\n".encode())
    return answer


def spoil(answer: Answer, fault: Fault) -> None:
    """Change an answer before it is written."""
    if fault.do in _PLAIN and answer.zipped:
        answer.body, answer.zipped = unzip(answer.body), False
    change = _BODIES.get(fault.do)
    if change is not None:
        answer.body = change(answer.body, fault)
    if fault.do == "lie":
        answer.length = max(0, len(answer.body) + fault.bytes)
    if fault.do in ("undated", "dated"):
        answer.modified = 0.0
    if fault.do == "dated":
        answer.lines = [*answer.lines, f"Last-Modified: {fault.date}\r\n".encode()]
    for name, text in fault.headers.items():
        if name == "Content-Type":
            answer.kind = text.encode()
        else:
            answer.lines = [*answer.lines, f"{name}: {text}\r\n".encode()]


def send(exchange: Exchange, output: bytes, body_bytes: int, fault: Fault) -> None:
    """Send a written answer as the fault wants it. body_bytes: of them the body's."""
    half = len(output) - max(1, body_bytes // 2)
    if fault.do == "cut":
        exchange.reply(output[:half], close=True)
    elif fault.do == "tear":
        exchange.tear(output[:half])
    elif fault.do == "slow":
        exchange.dribble(output, fault.seconds)
    else:
        exchange.reply(output)


def unzip(body: bytes) -> bytes:
    """Return the plain form of a gzip made here."""
    return isal_zlib.decompressobj(_GZIP).decompress(body)


def _rename(body: bytes, fault: Fault) -> bytes:
    return body.replace(f'"{fault.field}":'.encode(), f'"{fault.to}":'.encode())


def _half(body: bytes, fault: Fault) -> bytes:
    return body[: len(body) // 2]


_BODIES: dict[str, Callable[[bytes, Fault], bytes]] = {"stump": _half, "malformed": _half, "rename": _rename}
_PLAIN = ("malformed", "rename")


def _chunks(size: int) -> Iterator[bytes]:
    piece = b"%x\r\n%b\r\n" % (_PIECE_BYTES, b" " * _PIECE_BYTES)
    if not size:
        return repeat(piece)
    return chain(repeat(piece, -(-size // _PIECE_BYTES)), [b"0\r\n\r\n"])


@lru_cache(maxsize=4)
def _bomb(size: int) -> bytes:
    return gzip(b" " * size)
