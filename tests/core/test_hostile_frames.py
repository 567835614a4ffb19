"""Whatever comes over a socket is a message or a WireError, and never costs more memory than a frame may have."""

import tracemalloc
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.core.errors import WireError
from supervisor.core.job import Effect, NewJob
from supervisor.core.messages import replica_database, replica_supervisor, supervisor_database, supervisor_zygote
from supervisor.core.messages.replica_database import Claim, Finish, FromDatabase, Hello, Rows, Stage, ToDatabase
from supervisor.core.messages.replica_supervisor import Acquire, FromReplica, Release, Tally, ToReplica
from supervisor.core.messages.supervisor_database import DatabaseToSupervisor, SupervisorToDatabase
from supervisor.core.messages.supervisor_zygote import FromZygote
from supervisor.core.wire import LENGTH_BYTES, MAX_FRAME_BYTES, Deframer, encode
from tests.support.fuzzing import fuzz

ENDS = [
    FromReplica,
    ToReplica,
    ToDatabase,
    FromDatabase,
    SupervisorToDatabase,
    DatabaseToSupervisor,
    FromZygote,
]
VALID = [
    Hello("characters#1", "characters"),
    Claim(1, 8),
    Acquire(7, True, 2, 12.5, "eu"),
    Release(3, 0, 200, 0.1),
    Tally({"done": 3}, [0.1, 0.2], 1),
    Rows(2, 1, 1, Effect(statement="s", rows=[{"a": 1, "b": None, "c": b"x"}])),
    Stage(3, 1, 1, [NewJob(worker="guilds", entity="eu/a/b", provenance="x")]),
    Finish(4, 1, 1, "done", effects=[Effect(statement="s", rows=[{"a": 1.5}])]),
]
LINKS = (replica_supervisor, replica_database, supervisor_database, supervisor_zygote)
TAGS = sorted(
    name
    for link in LINKS
    for name, kind in vars(link).items()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5) | st.integers(0, 9), inner, max_size=5)
    ),
    max_leaves=12,
)


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def feed(end: Any, data: bytes) -> list[Any]:
    with suppress(WireError):
        return Deframer(end).feed(data)
    return []


@given(st.sampled_from(ENDS), st.binary(max_size=400))
@fuzz(200)
def test_any_bytes_are_messages_or_a_wire_error(end: Any, data: bytes) -> None:
    feed(end, data)
    feed(end, frame(data))


@given(st.sampled_from(ENDS), st.sampled_from(TAGS), st.lists(PLAIN, max_size=12))
@fuzz(80)
def test_a_known_name_with_any_fields_is_a_message_or_a_wire_error(end: Any, tag: str, fields: list[Any]) -> None:
    for message in feed(end, frame(msgspec.msgpack.encode([tag, *fields]))):
        assert type(message).__name__ == tag


@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
    st.integers(0, 200),
    st.binary(max_size=8),
)
@fuzz(300)
def test_a_changed_or_cut_frame_is_a_message_or_a_wire_error(
    message: msgspec.Struct, changes: list[tuple[int, int]], cut: int, more: bytes
) -> None:
    data = bytearray(encode(message))
    for place, byte in changes:
        data[place % len(data)] = byte
    for end in (FromReplica, ToDatabase):
        feed(end, bytes(data[: cut or None]) + more)


@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "head"), [(b"\x91", b""), (b"\x81\xa1a", b""), (b"\x91", b"\x92\xa5Noted")])
def test_deep_nesting_is_a_wire_error(depth: int, opening: bytes, head: bytes) -> None:
    for end in ENDS:
        with pytest.raises(WireError):
            Deframer(end).feed(frame(head + opening * depth + b"\xc0"))


def test_deep_nesting_in_a_field_that_takes_anything_is_a_wire_error() -> None:
    head = msgspec.msgpack.encode(["Noted", "event"])[1:]
    with pytest.raises(WireError):
        Deframer(DatabaseToSupervisor).feed(frame(b"\x93" + head + b"\x81\xa1a" * 100_000 + b"\xc0"))


@given(st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b"\xf8\x88\x80\x80"]))
@example(b"\xed\xb0\x80")
@fuzz(5)
def test_text_that_is_not_utf8_is_a_wire_error(text: bytes) -> None:
    payload = b"\x93\xa5Hello" + bytes([0xA0 | len(text)]) + text + b"\xa1x"
    if text == b"\x00":
        assert feed(ToDatabase, frame(payload)) == [Hello("\x00", "x")]
        return
    with pytest.raises(WireError):
        Deframer(ToDatabase).feed(frame(payload))


@pytest.mark.parametrize(
    "claimed", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"]
)
def test_a_claimed_size_costs_no_memory(claimed: bytes) -> None:
    """msgpack's array32, map32, str32 and bin32, all of four billion, in a frame of a few bytes."""
    tracemalloc.start()
    try:
        for end in ENDS:
            for head in (b"", b"\x93\xa5Tally", b"\x93\xa5Noted\xa1x"):
                assert feed(end, frame(head + claimed + b"\x01")) == []
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_half_frame_is_kept_once_and_a_too_long_one_not_at_all() -> None:
    deframer = Deframer(ToDatabase)
    tracemalloc.start()
    try:
        assert deframer.feed(MAX_FRAME_BYTES.to_bytes(LENGTH_BYTES, "big")) == []
        for _ in range(64):
            assert deframer.feed(bytes(65_536)) == []
        assert tracemalloc.get_traced_memory()[1] < 3 * 64 * 65_536
        with pytest.raises(WireError):
            Deframer(ToDatabase).feed((MAX_FRAME_BYTES + 1).to_bytes(LENGTH_BYTES, "big") + bytes(65_536))
    finally:
        tracemalloc.stop()
