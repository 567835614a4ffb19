"""A TCP proxy that makes the way to the API a bad one: delays, pauses, resets, answers cut in the middle.

with proxy("127.0.0.1", port) as way:
    way.weather = Weather(delay_s=(0.0, 0.2), cut=0.01)     for every piece from now on
    way.hold(0.5)                                           nothing passes, then all of it at once

It runs in a thread with an event loop of its own. What it has read it delivers, also after its sender has died:
a process that is killed does not take back what is on its way. But nothing is late by more than a delay and a hold:
the limiter trusts that what arrives at all arrives within 2 s.
"""

import asyncio
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random

MOST_DELAY_S = 0.5
MOST_HOLD_S = 1.0
PIECE_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends a reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What happens to each piece that passes.

    delay_s: least and most seconds, either way. Shares of pieces, 0 to 1: drop = the connection is reset instead of
    passing the request on; lose = the request arrives and its answer is a reset; cut = half of the answer's piece
    passes, then the connection ends.
    """

    delay_s: tuple[float, float] = (0.0, 0.0)
    drop: float = 0.0
    lose: float = 0.0
    cut: float = 0.0

    def __post_init__(self) -> None:
        assert self.delay_s[1] <= MOST_DELAY_S, f"a piece may be {MOST_DELAY_S:g} s late at most"


FAIR = Weather()


class Proxy:
    """One way to one server. port: where it listens. done: how often each fault struck."""

    def __init__(self, host: str, port: int, random: Random) -> None:
        self.port = 0
        self.weather = FAIR
        self.done: Counter[str] = Counter()
        self._server = (host, port)
        self._random = random
        self._held_until = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._over = asyncio.Event()

    def hold(self, seconds: float) -> None:
        """Let nothing pass for so long; a hold that is in force stays as it is."""
        assert seconds <= MOST_HOLD_S, f"a hold may last {MOST_HOLD_S:g} s at most"
        if time.monotonic() > self._held_until:
            self.done["hold"] += 1
            self._held_until = time.monotonic() + seconds

    def run(self) -> None:
        """Serve until `stop`; the thread's work."""
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def wait_until_ready(self) -> None:
        """Return when it listens."""
        assert self._ready.wait(10), "the proxy does not listen"

    def stop(self) -> None:
        """End every connection and the thread's work. From another thread."""
        self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self) -> None:
        listener = await asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=1024)
        self.port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        listener.close()
        # Again while there are any: a connection that was accepted just now begins only after the first look.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for writer in self._open:
                writer.transport.abort()
            await asyncio.wait(others, timeout=0.05)

    async def _connect(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            server, to_server = await asyncio.open_connection(*self._server)
            both = (to_client, to_server)
            self._open.update(both)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass_on(client, to_server, self._spoil_request, both))
                    group.create_task(self._pass_on(server, to_client, self._spoil_answer, both))
            except* OSError:
                pass  # either end broke it off, or we did
            finally:
                self._open.difference_update(both)
                for writer in both:
                    writer.close()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        spoil: Callable[[bytes], bytes],
        both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        while piece := await reader.read(PIECE_BYTES):
            await self._wait()
            kept = spoil(piece)
            writer.write(kept)
            if len(kept) < len(piece):
                _break(both, cleanly=bool(kept))
                raise ConnectionResetError
            await writer.drain()
        writer.write_eof()

    async def _wait(self) -> None:
        least, most = self.weather.delay_s
        ready_at = time.monotonic() + self._random.uniform(least, most)
        # Looked at again after each sleep: a hold may have begun meanwhile.
        while (left := max(ready_at, self._held_until) - time.monotonic()) > 0:  # noqa: ASYNC110 - real seconds
            await asyncio.sleep(left)

    def _spoil_request(self, piece: bytes) -> bytes:
        return b"" if self._strikes("drop", self.weather.drop) else piece

    def _spoil_answer(self, piece: bytes) -> bytes:
        if self._strikes("lose", self.weather.lose):
            return b""
        return piece[: len(piece) // 2] if self._strikes("cut", self.weather.cut) else piece

    def _strikes(self, fault: str, share: float) -> bool:
        strikes = share > 0 and self._random.random() < share
        self.done[fault] += strikes
        return strikes


def _break(both: tuple[asyncio.StreamWriter, asyncio.StreamWriter], *, cleanly: bool) -> None:
    for writer in both:
        if not cleanly:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        else:
            writer.close()  # what is written still leaves


@contextmanager
def proxy(host: str, port: int, seed: int = 1) -> Iterator[Proxy]:
    """Run a proxy to host:port while the block lasts."""
    way = Proxy(host, port, Random(seed))
    thread = threading.Thread(target=way.run, name="proxy", daemon=True)
    thread.start()
    way.wait_until_ready()
    try:
        yield way
    finally:
        way.stop()
        thread.join(10)
