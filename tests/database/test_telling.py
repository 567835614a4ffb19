"""What the supervisor hears: waiting counts, pulses, disk, failing loops."""

import asyncio
from pathlib import Path
from random import Random

from supervisor.core.messages.replica_database import GiveBack
from supervisor.core.messages.supervisor_database import Pulse, Waiting
from supervisor.database.disk import DiskWatch
from supervisor.database.loops import Bell, keep_doing
from supervisor.database.restarts import BACKOFF_CAP_S, BUDGET_DEATHS, BUDGET_S, Restarts
from supervisor.database.waiting import CORRECTED_EVERY_S, SENT_ANYWAY_EVERY_S
from tests.database.bench import Desk
from tests.support.clock import FakeClock


def waitings(desk: Desk) -> list[dict[str, list[int]]]:
    return [message.counts for message in desk.sent if isinstance(message, Waiting)]


async def test_waiting_counts_name_each_worker_by_priority(desk: Desk) -> None:
    await desk.enqueue("eu/a", "eu/b", priority="urgent")
    await desk.enqueue("eu/7", worker="markets", priority="background")
    desk.service.parts.waiting.run_once()
    assert waitings(desk) == [{"towns": [2, 0, 0], "markets": [0, 0, 1], "rounds": [0, 0, 0]}]


async def test_unchanged_counts_are_not_repeated_before_a_second(desk: Desk, clock: FakeClock) -> None:
    teller = desk.service.parts.waiting
    teller.run_once()
    await clock.advance(0.5)
    assert teller.run_once() == clock.monotonic() - 0.5 + SENT_ANYWAY_EVERY_S
    assert len(waitings(desk)) == 1
    await clock.advance(0.5)
    teller.run_once()
    assert len(waitings(desk)) == 2


async def test_claim_that_found_less_corrects_the_supervisor_soon(desk: Desk, clock: FakeClock) -> None:
    replica = await desk.replica()
    teller = desk.service.parts.waiting
    teller.run_once()
    assert await replica.claim() == []
    await clock.advance(CORRECTED_EVERY_S)
    teller.run_once()
    assert len(waitings(desk)) == 2


async def test_job_that_was_claimed_and_came_back_between_two_messages_is_told_again(desk: Desk) -> None:
    await desk.enqueue("eu/a")
    teller = desk.service.parts.waiting
    teller.run_once()
    replica = await desk.replica()
    (job,) = await replica.claim()
    await replica.ask(lambda call: GiveBack(call, job.id, job.lease))
    teller.run_once()
    assert [counts["towns"] for counts in waitings(desk)] == [[0, 1, 0], [0, 1, 0]]


async def test_pulse_says_how_it_goes(desk: Desk, clock: FakeClock) -> None:
    await desk.enqueue("eu/a")
    await clock.advance(40)
    await desk.service.parts.pulser.run_once()
    await desk.do(lambda db, now: None)
    await desk.service.parts.pulser.run_once()
    pulse = [message for message in desk.sent if isinstance(message, Pulse)][-1]
    assert pulse.counts == {"towns": {"available": [0, 1, 0]}}
    assert pulse.oldest_s == {"towns": 40.0}
    assert pulse.transactions >= 1


async def test_disk_stops_bulk_first_and_background_later(tmp_path: Path, clock: FakeClock) -> None:
    free_bytes = [1000]
    told: list[dict[str, object]] = []
    disk = DiskWatch(
        tmp_path, clock, lambda event, /, **fields: told.append(fields), free_bytes=lambda path: free_bytes[0]
    )
    disk.min_free_bytes = 400
    states = []
    for free_bytes[0] in (1000, 399, 199, 500):
        await disk.run_once()
        states.append((disk.bulk_stopped, disk.background_stopped))
    assert states == [(False, False), (True, False), (True, True), (False, False)]
    assert [fields["free_bytes"] for fields in told] == [399, 199, 500]


async def test_failing_turn_is_told_and_tried_again(clock: FakeClock) -> None:
    told: list[str] = []
    turns: list[float] = []

    async def run_once() -> float:
        turns.append(clock.monotonic())
        raise ValueError("no")

    def note(event: str, /, **fields: object) -> None:
        told.append(f"{event} {fields['loop']}")

    task = asyncio.ensure_future(keep_doing("odd", run_once, bell=Bell(), clock=clock, note=note))
    await clock.advance(0.0)
    await clock.advance(1.0)
    task.cancel()
    assert told == ["database_loop_failed odd"] * 2
    assert turns[1] - turns[0] == 1.0


async def test_ring_ends_a_wait_early(clock: FakeClock) -> None:
    bell = Bell()
    waiting = asyncio.ensure_future(bell.wait_until(clock, clock.monotonic() + 60))
    await clock.advance(1)
    assert not waiting.done()
    bell.ring()
    await asyncio.wait_for(waiting, 1)


def test_backoff_grows_to_its_cap_when_the_process_dies_again_and_again() -> None:
    restarts = Restarts(Random(1))
    waits = [restarts.died(float(second)) for second in range(BUDGET_DEATHS + 1)]
    assert waits[0] == 0.0
    assert all(0.0 < wait < BACKOFF_CAP_S for wait in waits[1:-1])
    assert waits[-1] == BACKOFF_CAP_S
    assert not restarts.is_degraded(BUDGET_S + 10)
