"""Whatever a local process sends to the database's socket: it is refused, its connection ended, nobody else harmed."""

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.core.job import Effect, NewJob
from supervisor.core.messages.base import Message
from supervisor.core.messages.replica_database import (
    Claim,
    Claimed,
    Failed,
    Finish,
    Finished,
    GiveBack,
    Hello,
    Renew,
    Rows,
    Stage,
)
from supervisor.core.wire import MAX_FRAME_BYTES, encode
from supervisor.database import gate, sessions
from supervisor.database.leases import STRAY_AFTER_S
from tests.database.bench import Desk, Replica
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(100),
    "huge length": struct.pack(">I", 2**32 - 1) + b"x" * 100,
    "one above the limit": struct.pack(">I", MAX_FRAME_BYTES + 1),
    "no msgpack": struct.pack(">I", 4) + b"\xc1\xc1\xc1\xc1",
    "deep": struct.pack(">I", 100_000) + b"\x91" * 100_000,
    "a message of another end": encode(Claimed(1, [])),
    "a name that is no text": struct.pack(">I", 11) + b"\x93\xa5Hello\xa2\xff\xfe\xa0",
    "claim before hello": encode(Claim(1, 1)),
    "finish before hello": encode(Finish(1, 1, 1, "done")),
    "hello twice": encode(Hello("towns#8", "towns")) + encode(Hello("towns#9", "towns")),
    "another kind's name": encode(Hello("towns#8", "markets")),
    "no name": encode(Hello("", "")),
    "a name with a line break": encode(Hello("towns\n#8", "towns")),
    "the name of one who is there": encode(Hello("towns#1", "towns")),
}


async def ended(desk: Desk, data: bytes) -> bytes:
    """Send bytes to the socket; return what came until it was closed."""
    reader, writer = await asyncio.open_unix_connection(str(desk.folder / "database.sock"))
    try:
        writer.write(data)
        async with asyncio.timeout(20.0):
            return await reader.read()
    except OSError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
async def test_who_breaks_the_protocol_is_hung_up_on_and_told_of_once(desk: Desk, data: bytes) -> None:
    await desk.enqueue("eu/paris")
    replica = await desk.replica()
    (job,) = await replica.claim()
    for _ in range(3):
        assert await ended(desk, data) == b""
    told = await eventually(lambda: desk.noted("database_peer_refused"))
    assert len(told) == 1
    assert str(told[0]["why"]).isprintable()
    assert await replica.finish(job) == "done"
    assert len(desk.service.parts.desk.sessions) == 1


async def test_what_is_refused_meanwhile_is_counted_with_the_next(desk: Desk, clock: FakeClock) -> None:
    for _ in range(5):
        await ended(desk, GARBAGE["zeros"])
    await eventually(lambda: not desk.service.parts.desk.sessions)
    clock.set(clock.monotonic() + gate.TOLD_EVERY_S)
    await ended(desk, GARBAGE["zeros"])
    told = await eventually(lambda: desk.noted("database_peer_refused"), lambda told: len(told) == 2)
    assert [each["refused"] for each in told] == [1, 5]


async def test_half_a_frame_and_silence_end_and_hold_nobody_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "HELLO_WITHIN_S", 0.2)
    half = encode(Hello("towns#8", "towns"))[:-3]
    silent = [
        asyncio.create_task(ended(desk, data)) for data in (b"", b"\x00", half, struct.pack(">I", 1000) + b"x" * 900)
    ]
    replica = await desk.replica()
    assert await replica.claim() == []
    assert await asyncio.gather(*silent) == [b""] * 4
    assert await replica.claim() == []


async def test_another_ones_lease_changes_nothing_whatever_is_asked_with_it(desk: Desk) -> None:
    ids = await desk.enqueue("eu/paris", "eu/rome")
    owner, rogue = await desk.replica("towns#1"), await desk.replica("towns#2")
    (mine,) = await owner.claim()
    (others,) = await rogue.claim()
    before = await desk.rows("SELECT * FROM jobs")
    effect = Effect("town_weather", [{"weather": "frogs"}])
    asked: list[Callable[[int], Message]] = [
        lambda call: Finish(call, mine.id, mine.lease, "done", effects=[effect]),
        lambda call: Finish(call, mine.id, mine.lease, "discard", error="because"),
        lambda call: Finish(call, mine.id, others.lease, "done"),
        lambda call: Finish(call, others.id, mine.lease, "done"),
        lambda call: GiveBack(call, mine.id, mine.lease),
        lambda call: Finish(call, mine.id, 0, "done"),
        lambda call: Finish(call, mine.id, -1, "done"),
        lambda call: Finish(call, 2**70 % 2**63, 2**62, "done"),
        lambda call: Finish(call, mine.id, mine.lease + 1, "done"),
    ]
    for message in asked:
        answer = await rogue.ask(message)
        assert isinstance(answer, Finished)
        assert answer.result == "lost"
    for refused in (
        lambda call: Rows(call, mine.id, mine.lease, effect),
        lambda call: Stage(call, mine.id, mine.lease, [NewJob(worker="towns", entity="eu/x")]),
    ):
        answer = await rogue.ask(refused)
        assert isinstance(answer, Failed)
        assert not answer.retryable
    assert await desk.rows("SELECT * FROM jobs") == before
    assert {row["id"] for row in before} == set(ids)
    assert await desk.rows("SELECT * FROM batches") == []
    assert await owner.finish(mine) == "done"


async def test_a_renewal_touches_no_lease_but_ones_own(desk: Desk, clock: FakeClock) -> None:
    await desk.enqueue("eu/paris")
    owner, rogue = await desk.replica("towns#1"), await desk.replica("towns#2")
    (job,) = await owner.claim()
    clock.set(clock.monotonic() + 2 * STRAY_AFTER_S)
    rogue.channel.send(Renew([]))
    rogue.channel.send(Renew([job.lease, -1, 2**63]))
    assert await rogue.claim() == []
    assert await owner.finish(job) == "done"


async def test_claiming_twice_gives_each_job_once(desk: Desk) -> None:
    await desk.enqueue(*(f"eu/a{n}" for n in range(20)))
    replica = await desk.replica()
    lots = await asyncio.gather(*(replica.claim(n) for n in (5, 64, 10**9, -1, 0, 5)))
    assert sorted(job.id for jobs in lots for job in jobs) == list(range(1, 21))


async def test_the_same_call_number_twice_is_answered_twice(desk: Desk) -> None:
    data = encode(Hello("towns#7", "towns")) + encode(Claim(1, 1)) * 2
    reader, writer = await asyncio.open_unix_connection(str(desk.folder / "database.sock"))
    writer.write(data)
    async with asyncio.timeout(20.0):
        assert await reader.readexactly(2 * len(encode(Claimed(1, [])))) == 2 * encode(Claimed(1, []))
    writer.close()
    await writer.wait_closed()


async def test_a_thousand_connections_leave_room_for_replicas(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_CONNECTIONS", 200)
    monkeypatch.setattr(gate, "HELLO_WITHIN_S", 0.5)
    replica = await desk.replica()
    await replica.claim()
    crowd = [asyncio.create_task(ended(desk, b"")) for _ in range(1000)]
    await desk.enqueue("eu/paris")
    (job,) = await replica.claim()
    assert await replica.finish(job) == "done"
    assert await asyncio.gather(*crowd) == [b""] * 1000
    assert len(desk.service.parts.desk.sessions) == 1
    late = await desk.replica("towns#2")
    assert await late.claim() == []


async def test_who_asks_faster_than_is_written_waits_in_his_own_buffers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_UNANSWERED", 50)
    replica, other = await desk.replica("towns#1"), await desk.replica("towns#2")
    most = 0
    queued = desk.service.parts.writer

    async def flood() -> list[Any]:
        return await asyncio.gather(*(replica.ask(lambda call: GiveBack(call, 1, 1)) for _ in range(4_000)))

    flooding = asyncio.create_task(flood())
    while not flooding.done():
        most = max(most, queued.queued)
        await asyncio.sleep(0)
        if most > 40:
            assert await asyncio.wait_for(other.claim(), 20.0) == []
    assert len(await flooding) == 4_000
    assert most < 4_000


async def test_who_never_reads_is_hung_up_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.core.wire.MAX_UNSENT_BYTES", 100_000)
    await desk.enqueue(*(f"eu/a{n}" for n in range(40)), args={"x": "y" * 30_000})
    reader, writer = await asyncio.open_unix_connection(str(desk.folder / "database.sock"))
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
    writer.write(encode(Hello("towns#9", "towns")) + encode(Claim(1, 64)))
    told = await eventually(lambda: desk.noted("database_peer_refused"))
    assert "has not read" in told[0]["why"]
    writer.close()
    other: Replica = await desk.replica("towns#1")
    assert await other.claim() == []
