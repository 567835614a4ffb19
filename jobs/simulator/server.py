"""The socket side: connections that hand each request's head to the gateway the moment it is read.

A request's way through a connection:
 1. its head is complete → `Gateway.arrive` counts it, before its body and whatever else waits;
 2. its body is complete → `Gateway.handle` decides, and answers now or later;
 3. answers leave in the order in which the requests came (a client may pipeline).
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol, cast

from jobs.simulator.http1 import MalformedError, Request, read_head

MOST_HEAD_BYTES = 65_536
MOST_BODY_BYTES = 16_777_216
_MOST_UNSENT_BYTES = 1 << 20
_LOOK_EVERY_S = 0.002
_TEAR_AFTER_S = 0.05
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends a reset


class Exchange:
    """One request that waits for its answer. `notes` belongs to the gateway."""

    def __init__(self, connection: "Connection", request: Request) -> None:
        self.request = request
        self.body = b""
        self.notes: Any = None
        self.is_over = False
        self.output: bytes | None = None
        self._connection = connection
        self._timer: asyncio.TimerHandle | None = None

    def after(self, seconds: float, do: Callable[..., None], *arguments: Any) -> None:
        """Call later, unless the connection ends before; at once when seconds is 0."""
        if seconds <= 0:
            do(*arguments)
            return
        self._timer = asyncio.get_running_loop().call_later(seconds, do, *arguments)

    def reply(self, output: bytes, *, close: bool = False) -> None:
        """Answer with these bytes, as soon as all requests before it are answered."""
        if self.is_over:
            return
        self.output = output
        self._connection.flush(close=close or not self.request.keeps_alive)

    def dribble(self, output: bytes, seconds: float, pieces: int = 20) -> None:
        """Answer in pieces spread over `seconds`, then close."""
        size = max(1, -(-len(output) // pieces))
        if len(output) <= size:
            self.reply(output, close=True)
            return
        self._connection.write(output[:size])
        self.after(seconds / pieces, self.dribble, output[size:], seconds * (1 - 1 / pieces), pieces - 1)

    def reset(self) -> None:
        """End the connection with a TCP reset instead of an answer."""
        self._connection.reset()

    def tear(self, output: bytes) -> None:
        """Send these bytes, and a TCP reset a moment later: at once it would overtake them."""
        self._connection.write(output)
        self.after(_TEAR_AFTER_S, self.reset)

    def hang_up(self) -> None:
        """End the connection without an answer."""
        self.reply(b"", close=True)

    def pour(self, pieces: Iterator[bytes]) -> None:
        """Send piece after piece, as fast as they are taken, until the connection ends or they do."""
        while self._connection.has_room:
            piece = next(pieces, None)
            if piece is None:
                self.reply(b"", close=True)
                return
            self._connection.write(piece)
        self.after(_LOOK_EVERY_S, self.pour, pieces)

    def end(self) -> None:
        """The connection has gone: nothing that was planned for this request happens any more."""
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()


class Gateway(Protocol):
    """What a connection talks to."""

    def arrive(self, exchange: Exchange) -> None:
        """Count a request whose head has just been read."""
        ...

    def handle(self, exchange: Exchange) -> None:
        """Answer a request that is complete, now or later."""
        ...

    def abandon(self, exchange: Exchange) -> None:
        """Note a request whose connection ended before it was answered."""
        ...


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._transport: asyncio.Transport
        self._buffer = b""
        self._waiting: deque[Exchange] = deque()
        self._reading: Exchange | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """Read as many requests as have arrived."""
        self._buffer += data
        try:
            while self._buffer and self._read_one():
                pass
        except MalformedError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up what was not answered."""
        for exchange in self._waiting:
            exchange.end()
            self._gateway.abandon(exchange)
        self._waiting.clear()

    def flush(self, *, close: bool) -> None:
        """Write all answers whose turn it is."""
        while self._waiting and self._waiting[0].output is not None:
            exchange = self._waiting.popleft()
            exchange.is_over = True
            self._transport.write(exchange.output or b"")
        if close and not self._waiting:
            self._transport.close()

    def write(self, output: bytes) -> None:
        """Write a piece of an answer."""
        self._transport.write(output)

    @property
    def has_room(self) -> bool:
        """Whether the client is there and has taken nearly all that was written."""
        return not self._transport.is_closing() and self._transport.get_write_buffer_size() < _MOST_UNSENT_BYTES

    def close(self) -> None:
        """End the connection; what was not answered never is."""
        self._transport.abort()

    def reset(self) -> None:
        """Close with a TCP reset."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _read_one(self) -> bool:
        if self._reading is None and not self._read_head():
            return False
        exchange = self._reading
        assert exchange is not None
        length = exchange.request.length
        if len(self._buffer) < length:
            return False
        exchange.body, self._buffer = self._buffer[:length], self._buffer[length:]
        self._reading = None
        self._gateway.handle(exchange)
        return True

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MOST_HEAD_BYTES:
                raise MalformedError("head too long")
            return False
        request = read_head(self._buffer[:end])
        self._buffer = self._buffer[end + 4 :]
        if request.length > MOST_BODY_BYTES:
            raise MalformedError("body too long")
        self._reading = Exchange(self, request)
        self._waiting.append(self._reading)
        self._gateway.arrive(self._reading)
        return True
