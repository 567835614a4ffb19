"""A replica that lies or floods is hung up on, with one word of why; its permits end and the others go on."""

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from supervisor.core.clock import SystemClock
from supervisor.core.messages.replica_database import Claim
from supervisor.core.messages.replica_supervisor import (
    ANSWERED,
    NOT_SENT,
    Acquire,
    Cancel,
    Grant,
    Heartbeat,
    Refuse,
    Release,
    Tally,
)
from supervisor.core.wire import MAX_FRAME_BYTES, encode
from supervisor.limiter.limiter import Limiter
from supervisor.pools.connection import Connection
from tests.limiter.support import Bench
from tests.support.waiting import eventually


class Port:
    """The limiter as the supervisor's connections see it."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter

    def connect(self, replica: str, worker: str, send: Callable[[Grant | Refuse], None]) -> int:
        return self.limiter.connect(replica, worker, send)

    def receive(self, connection: int, message: Acquire | Cancel | Release, now: float) -> None:
        if isinstance(message, Acquire):
            self.limiter.acquire(connection, message, now)
        elif isinstance(message, Release):
            self.limiter.release(connection, message, now)
        else:
            self.limiter.cancel(connection, message)

    def disconnect(self, connection: int) -> None:
        self.limiter.disconnect(connection, SystemClock().monotonic())

    def stop_starts(self, connection: int) -> None:
        self.limiter.stop_starts(connection)


class Scene:
    """A limiter with one honest and one rogue connection; theirs: the rogue's end of the socket."""

    def __init__(self) -> None:
        self.bench = Bench(now=SystemClock().monotonic())
        self.honest = self.bench.replica()
        self.told: list[str] = []
        self.ours, self.theirs = socket.socketpair()
        self.theirs.setblocking(False)
        self.connection = Connection(
            replica="characters#2", worker="characters", clock=SystemClock(), permits=Port(self.bench.limiter),
            tally=lambda tally: None, ready=lambda: None, resized=lambda: None, broke=self.told.append,
        )  # fmt: skip  # as a table

    async def send(self, data: bytes) -> None:
        """Send as much as is taken."""
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            await asyncio.get_running_loop().sock_sendall(self.theirs, data)

    async def grant(self) -> Grant:
        """Take a permit as the rogue, over the socket."""
        await self.send(encode(Acquire(1, False, 0, SystemClock().monotonic() + 60.0)))
        held = await eventually(lambda: self.bench.limiter.permits.held_by(2))
        return Grant(1, held[0].id, "osint-1")

    async def ended(self) -> str:
        await eventually(lambda: self.connection.lost_at)
        assert len(self.told) == 1
        assert self.told[0].isprintable()
        return self.told[0]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    await scene.connection.open(scene.ours)
    yield scene
    scene.connection.close()
    await eventually(lambda: scene.connection.lost_at)
    scene.theirs.close()


def raw(*fields: Any) -> bytes:
    """Return a frame that our own types would not let us make."""
    payload = msgspec.msgpack.encode(list(fields))
    return struct.pack(">I", len(payload)) + payload


LATER = SystemClock().monotonic() + 1e6
BROKEN = {
    "garbage": b"GET / HTTP/1.1\r\n\r\n",
    "huge length": struct.pack(">I", MAX_FRAME_BYTES + 1),
    "a word of the database": encode(Claim(1, 1)),
    "a deadline that is no number": raw("Acquire", 1, False, 0, math.nan),
    "an endless deadline": raw("Acquire", 1, False, 0, math.inf),
    "a negative ask": raw("Acquire", -1, False, 0, LATER),
    "an unknown fate": raw("Release", 1, 7),
    "a status that is none": raw("Release", 1, ANSWERED, 10**6),
    "a round trip back in time": raw("Release", 1, ANSWERED, 200, -5.0),
    "a pause for ever": raw("Release", 1, ANSWERED, 429, 0.1, math.inf),
    "more than nothing left": raw("Release", 1, ANSWERED, 200, 0.1, -1.0, 0, "", "", 10**30 % 2**62, 1),
    "fewer than no jobs": raw("Heartbeat", -1),
    "an outcome of its own": raw("Tally", {"<img src=x>": 1}),
    "a negative tally": raw("Tally", {"done": -5}),
    "a permit of nobody": encode(Release(10**9, NOT_SENT)),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
async def test_what_no_replica_says_ends_the_connection_with_one_word(scene: Scene, data: bytes) -> None:
    await scene.send(data + encode(Heartbeat(0)))
    await scene.ended()
    assert scene.honest.get()


async def test_a_permit_of_another_one_stays_his(scene: Scene) -> None:
    grant = scene.honest.get()
    assert grant is not None
    await scene.send(encode(Release(grant.permit, NOT_SENT)))
    assert "not its own" in await scene.ended()
    assert scene.bench.key().quota.in_flight == 1
    scene.honest.answered(grant)
    assert scene.bench.key().quota.in_flight == 0


async def test_a_permit_given_back_twice_counts_once_and_what_a_liar_holds_lingers(scene: Scene) -> None:
    grant = await scene.grant()
    await scene.send(2 * encode(Release(grant.permit, ANSWERED, 200, 0.1)))
    await eventually(lambda: not scene.bench.limiter.permits.held_by(2))
    quota = scene.bench.key().quota
    assert (quota.in_flight, quota.longest.count) == (0, 1)
    await scene.grant()
    await scene.send(BROKEN["garbage"])
    await scene.ended()
    assert (quota.in_flight, quota.longest.count) == (1, 1)


async def test_a_million_asks_end_the_connection_and_cost_the_others_nothing(scene: Scene) -> None:
    asks = b"".join(encode(Acquire(n, False, 0, LATER)) for n in range(10_000))
    for _ in range(100):
        await scene.send(asks)
    assert "again and again" in await scene.ended()
    assert sum(flow.waiting for flow in scene.bench.limiter.dispatcher.flows.values()) == 0
    assert len(scene.bench.limiter.permits) <= 100  # what the second's window had; they linger
    scene.bench.advance(120.0)
    assert scene.honest.get()


async def test_who_asks_without_reading_is_hung_up_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.core.wire.MAX_UNSENT_BYTES", 100_000)
    monkeypatch.setattr("supervisor.limiter.limiter.MAX_TURNED_AWAY", 10**9)
    asks = b"".join(encode(Acquire(n, False, 0, LATER)) for n in range(10_000))
    for _ in range(20):
        await scene.send(asks)
    assert "has not read" in await scene.ended()


async def test_a_tally_may_be_large_and_its_names_stay_few(scene: Scene) -> None:
    await scene.send(encode(Tally({"done": 10**6}, [0.1] * 10_000, unparsed={f"e{n}": 1 for n in range(10_000)})))
    await scene.send(encode(Heartbeat(3)))
    await eventually(lambda: scene.connection.executing == 3)
    assert scene.told == []
