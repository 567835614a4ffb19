"""When turns are taken, and what a pause of our own means."""

from collections.abc import AsyncIterator

import pytest

from supervisor.core.events import Events
from supervisor.pools.limits import Limits
from supervisor.pools.turns import Turns
from tests.support.clock import FakeClock

LIMITS = Limits()


class Record:
    """What was called, in order."""

    def __init__(self, clock: FakeClock) -> None:
        self.calls: list[str] = []
        self.fail = False
        self.events: list[str] = []
        events = Events()
        events.subscribe(lambda name, fields: self.events.append(name))
        self.turns = Turns(clock=clock, events=events, limits=LIMITS, turn=self.turn, stalled=self.stalled)

    def turn(self, now: float) -> None:
        self.calls.append("turn")
        if self.fail:
            raise ValueError("broken turn")

    def stalled(self) -> None:
        self.calls.append("stalled")


@pytest.fixture
async def record(clock: FakeClock) -> AsyncIterator[Record]:
    record = Record(clock)
    record.turns.start()
    await clock.advance(0)
    yield record
    await record.turns.stop()


async def test_a_turn_is_taken_at_the_start_and_at_each_tick(record: Record, clock: FakeClock) -> None:
    assert record.calls == ["turn"]
    await clock.advance(2 * LIMITS.tick_s)
    assert record.calls == ["turn"] * 3


async def test_many_wakes_make_one_turn(record: Record, clock: FakeClock) -> None:
    record.turns.wake()
    record.turns.wake()
    await clock.advance(0)
    assert record.calls == ["turn"] * 2


async def test_stall_is_told_before_the_turn_that_anybody_woke(record: Record, clock: FakeClock) -> None:
    clock.set(clock.monotonic() + 60.0)  # time passes, and nothing of ours runs
    record.turns.wake()
    await clock.advance(0)
    assert record.calls[1:3] == ["stalled", "turn"]


async def test_broken_turn_is_told_and_the_next_one_is_taken(record: Record, clock: FakeClock) -> None:
    record.fail = True
    await clock.advance(2 * LIMITS.tick_s)
    assert record.calls == ["turn"] * 3
    assert record.events == ["pools_failed"] * 2


async def test_waiting_ends_with_the_truth_or_at_the_deadline(record: Record, clock: FakeClock) -> None:
    assert await record.turns.until(lambda: True, clock.monotonic())
    assert not await record.turns.until(lambda: False, clock.monotonic())
