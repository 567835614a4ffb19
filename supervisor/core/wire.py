"""Frames on our Unix sockets.

    frame    ::= length payload
    length   ::= 4 bytes, unsigned, big-endian: bytes of payload, 1 .. MAX_FRAME_BYTES
    payload  ::= one msgpack array  [tag, field, field, ...]   (see `messages/`)

A frame that is too long or does not decode ends the connection: a peer that breaks the protocol
once cannot be trusted to be in step afterwards.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Any, cast

import msgspec

from supervisor.core.errors import WireError

MAX_FRAME_BYTES = 16 * 1024 * 1024
LENGTH_BYTES = 4
MAX_UNSENT_BYTES = 64 * 1024 * 1024
"""A peer that lets so much of our answers lie does not read them, and is hung up on."""

_encode = msgspec.msgpack.Encoder().encode
_LENGTH = struct.Struct(">I")
_pack_length, _unpack_length = _LENGTH.pack, _LENGTH.unpack_from


def encode(message: msgspec.Struct) -> bytes:
    """Return `message` as one frame. WireError when it is larger than MAX_FRAME_BYTES, or has what no frame can hold.

    The latter: integers beyond 64 bits, half of a surrogate pair, objects that are no plain data. Rows and errors of
    users' own jobs may have any of them.
    """
    try:
        payload = _encode(message)
    except (msgspec.MsgspecError, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise WireError(f"a {type(message).__name__} cannot be sent: {error}") from error
    length = len(payload)
    if length > MAX_FRAME_BYTES:
        raise WireError(f"a {type(message).__name__} of {length} bytes is larger than a frame may be")
    return _pack_length(length) + payload


class Deframer:
    """Cut a stream of bytes into messages; keeps what is not yet a whole frame."""

    def __init__(self, message_type: Any) -> None:
        self._decode = msgspec.msgpack.Decoder(message_type).decode
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Return the messages that `data` completes, in order.

        WireError: a length of 0 or above MAX_FRAME_BYTES, or a payload that is no known message.
        """
        rest = self._rest
        if not rest:
            # Nearly always: whole frames, cut without copying them together first.
            messages, end = self._cut(data)
            rest += data[end:]
            return messages
        rest += data
        messages, end = self._cut(rest)
        del rest[:end]
        return messages

    def _cut(self, data: bytes | bytearray) -> tuple[list[Any], int]:
        """Return the messages at the head of `data`, and where the first unfinished frame begins."""
        messages: list[Any] = []
        size = len(data)
        start = 0
        try:
            while size - start >= LENGTH_BYTES:
                (length,) = _unpack_length(data, start)
                if not 0 < length <= MAX_FRAME_BYTES:
                    raise WireError(f"frame length {length} is outside 1..{MAX_FRAME_BYTES}")
                head = start + LENGTH_BYTES
                end = head + length
                if size < end:
                    break
                messages.append(self._decode(data[head:end]))
                start = end
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise WireError(f"frame of {length} bytes is no message: {error}") from error
        return messages, start


class Channel(asyncio.Protocol):
    """One framed connection on an event loop.

    `receive(message)` is called for each message, `closed(error)` exactly once (None = plain EOF). A WireError that
    `receive` raises ends the connection as a broken frame does: the peer is out of step, and nothing more is heard.
    `send` never blocks: frames of one loop turn leave in one write at the end of that turn.
    """

    def __init__(
        self,
        message_type: Any,
        receive: Callable[[Any], None],
        closed: Callable[[Exception | None], None],
    ) -> None:
        self._deframer = Deframer(message_type)
        self._receive = receive
        self._closed = closed
        self._transport: asyncio.Transport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outgoing: list[bytes] = []
        self._error: Exception | None = None
        self._ended = False

    @property
    def is_open(self) -> bool:
        """Tell whether a frame sent now has a chance to arrive."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """Return the bytes that the peer has not taken yet; the sender's cue to slow down."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def send(self, message: msgspec.Struct) -> None:
        """Queue one message; it leaves before the loop waits again. A closed channel drops it."""
        transport = self._transport
        if transport is None or self._loop is None or transport.is_closing():
            return
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(encode(message))

    def close(self) -> None:
        """Flush and close; safe when called twice."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def break_off(self, error: Exception) -> None:
        """Drop the connection, and report `error` as its end. Safe before it is made and when repeated."""
        self._error = self._error or error
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport (called by the event loop)."""
        # Not asserted: uvloop's transports have the methods of asyncio.Transport, but not its class.
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        if self._error is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Deliver complete messages (called by the event loop)."""
        try:
            for message in self._deframer.feed(data):
                self._receive(message)
        except WireError as error:
            self.break_off(error)

    def hold(self, is_held: bool) -> None:
        """Read nothing more for now (True), or go on (False); the peer's writes wait. Safe when repeated."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.is_reading() is not is_held:
            return
        if is_held:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """Report the end once (called by the event loop)."""
        if not self._ended:
            self._ended = True
            self._closed(self._error or error)

    def _flush(self) -> None:
        if self._outgoing and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._outgoing))
            if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                self.break_off(WireError(f"the peer has not read {MAX_UNSENT_BYTES:,} bytes of answers"))
        self._outgoing.clear()
