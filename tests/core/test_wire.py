"""Frames survive any cut of the stream, and a broken peer is dropped."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.errors import WireError
from supervisor.core.messages.replica_supervisor import Acquire, FromReplica, Heartbeat
from supervisor.core.wire import MAX_FRAME_BYTES, Deframer, encode


@given(st.lists(st.integers(0, 2**40), max_size=30), st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_any_cut_of_the_stream_gives_the_same_messages(numbers: list[int], cuts: list[int]) -> None:
    messages = [Heartbeat(n) for n in numbers]
    stream = b"".join(encode(m) for m in messages)
    deframer, received, start = Deframer(FromReplica), [], 0
    for cut in cuts:
        received += deframer.feed(stream[start : start + cut])
        start += cut
    received += deframer.feed(stream[start:])
    assert received == messages


@pytest.mark.parametrize("length", [0, MAX_FRAME_BYTES + 1, 2**32 - 1])
def test_length_outside_the_bounds_is_refused(length: int) -> None:
    with pytest.raises(WireError):
        Deframer(FromReplica).feed(length.to_bytes(4, "big") + b"x")


@given(st.binary(min_size=1, max_size=200))
def test_garbage_never_becomes_a_traceback(garbage: bytes) -> None:
    frame = len(garbage).to_bytes(4, "big") + garbage
    with suppress(WireError):
        Deframer(FromReplica).feed(frame)


def test_message_keeps_its_fields() -> None:
    ask = Acquire(7, True, 2, 12.5, "eu")
    assert Deframer(FromReplica).feed(encode(ask)) == [ask]
