"""A permit is given back exactly once, whatever happens to its waiter."""

import asyncio

import msgspec
import pytest

from supervisor.core.messages.replica_supervisor import (
    ANSWERED,
    NOT_SENT,
    TIMEOUT_WAITING,
    UNKNOWN,
    Acquire,
    Cancel,
    Grant,
    Refuse,
    Release,
)
from supervisor.worker.permits import MAX_AGE_S, PermitRefused, Permits
from tests.support.clock import FakeClock


class Wire:
    def __init__(self) -> None:
        self.sent: list[msgspec.Struct] = []
        self.permits = Permits(self.sent.append, FakeClock())

    async def start(self) -> "asyncio.Task[object]":
        task: asyncio.Task[object] = asyncio.ensure_future(
            self.permits.acquire(start=False, priority=1, deadline=5.0, region="eu")
        )
        await asyncio.sleep(0)
        return task


async def test_acquire_sends_one_ask_and_returns_its_grant() -> None:
    wire = Wire()
    task = await wire.start()
    wire.permits.receive(Grant(1, 77, "osint-1", {"Authorization": "Bearer t"}))
    permit = await task
    assert wire.sent == [Acquire(1, False, 1, 5.0, "eu")]
    assert (permit.id, permit.key) == (77, "osint-1")  # type: ignore[attr-defined]  # a Permit


async def test_refusal_reaches_the_waiter_with_its_word() -> None:
    wire = Wire()
    task = await wire.start()
    wire.permits.receive(Refuse(1, TIMEOUT_WAITING))
    with pytest.raises(PermitRefused) as refused:
        await task
    assert refused.value.why == TIMEOUT_WAITING


async def test_cancelled_wait_says_so_and_a_crossing_grant_goes_back_unsent() -> None:
    wire = Wire()
    task = await wire.start()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    wire.permits.receive(Grant(1, 78, "osint-1"))
    assert wire.sent[1:] == [Cancel(1), Release(78, NOT_SENT)]


async def test_grant_that_arrives_in_the_turn_of_the_cancel_goes_back_unsent() -> None:
    wire = Wire()
    task = await wire.start()
    wire.permits.receive(Grant(1, 79, "osint-1"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.sent[1:] == [Release(79, NOT_SENT)]


async def test_only_the_first_word_about_a_permit_counts() -> None:
    wire = Wire()
    task = await wire.start()
    wire.permits.receive(Grant(1, 80, "osint-1"))
    permit = await task
    with permit:  # type: ignore[attr-defined]  # a Permit
        permit.answered(200, 0.05)  # type: ignore[attr-defined]
        permit.not_sent()  # type: ignore[attr-defined]
    assert wire.sent[1:] == [Release(80, ANSWERED, 200, 0.05, -1.0)]


async def test_leaving_without_a_word_counts_as_unknown() -> None:
    wire = Wire()
    task = await wire.start()
    wire.permits.receive(Grant(1, 81, "osint-1"))
    with await task:  # type: ignore[attr-defined]  # a Permit
        pass
    assert wire.sent[1:] == [Release(81, UNKNOWN)]


async def test_old_permit_is_not_sent_with_any_more() -> None:
    wire = Wire()
    task = await wire.start()
    wire.permits.receive(Grant(1, 82, "osint-1"))
    permit = await task
    granted_at = FakeClock().monotonic()
    assert permit.fits("eu", granted_at + MAX_AGE_S - 1)  # type: ignore[attr-defined]  # a Permit
    assert not permit.fits("eu", granted_at + MAX_AGE_S)  # type: ignore[attr-defined]


async def test_permit_of_a_key_for_one_region_fits_only_there() -> None:
    wire = Wire()
    task = await wire.start()
    wire.permits.receive(Grant(1, 83, "us-1", regions=("us",)))
    permit = await task
    now = FakeClock().monotonic()
    assert permit.fits("us", now)  # type: ignore[attr-defined]  # a Permit
    assert permit.fits("", now)  # type: ignore[attr-defined]
    assert not permit.fits("eu", now)  # type: ignore[attr-defined]
