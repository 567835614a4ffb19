"""The permit server around the limiter: its timer, its journal, its life."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from supervisor.core.errors import RefusedError
from supervisor.core.messages.replica_supervisor import (
    ANSWERED,
    DRAINING,
    TIMEOUT_WAITING,
    Acquire,
    Cancel,
    Grant,
    Refuse,
    Release,
)
from supervisor.limiter.server import PermitServer
from supervisor.settings.config import Config
from tests.limiter.support import Heard, api, config, key, worker
from tests.support.clock import FakeClock


class Desk:
    """A running permit server and one connection to it."""

    def __init__(self, server: PermitServer, clock: FakeClock, heard: Heard) -> None:
        self.server = server
        self.clock = clock
        self.heard = heard
        self.answers: list[Grant | Refuse] = []
        self.connection = server.connect("characters#1", "characters", self.answers.append)

    def ask(self, number: int, wait_s: float = 60.0, *, start: bool = False) -> None:
        now = self.clock.monotonic()
        self.server.receive(self.connection, Acquire(number, start, 0, now + wait_s), now)

    def answer_all(self) -> None:
        for answer in self.answers:
            if isinstance(answer, Grant):
                self.server.receive(
                    self.connection, Release(answer.permit, ANSWERED, 200, 0.05), self.clock.monotonic()
                )


@asynccontextmanager
async def desk(folder: Path, clock: FakeClock, settings: Config | None = None) -> AsyncIterator[Desk]:
    heard = Heard()
    server = PermitServer(
        config=settings or config(),
        clock=clock,
        events=heard.events,
        random=Random(1),
        journal_path=folder / "permits" / "journal",
    )
    await server.start()
    try:
        yield Desk(server, clock, heard)
    finally:
        await server.stop()


async def test_the_timer_grants_when_the_window_frees(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        for number in range(101):
            it.ask(number)
        assert len(it.answers) == 100
        it.answer_all()
        await clock.advance(0.99)
        assert len(it.answers) == 100
        await clock.advance(0.02)
        assert len(it.answers) == 101


async def test_the_timer_refuses_at_the_deadline(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        for number in range(101):
            it.ask(number)
        it.ask(200, wait_s=0.2)
        await clock.advance(0.21)
        assert it.answers[-1] == Refuse(200, TIMEOUT_WAITING)


async def test_an_earlier_moment_wakes_the_timer_early(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        for number in range(101):
            it.ask(number, wait_s=50.0)
        await clock.advance(0.1)
        it.ask(200, wait_s=0.3)
        await clock.advance(0.31)
        assert it.answers[-1] == Refuse(200, TIMEOUT_WAITING)
        it.server.receive(it.connection, Cancel(100), clock.monotonic())


async def test_jobs_and_a_drain_reach_the_waiting_starts(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        it.ask(1, start=True)
        it.ask(2, start=True)
        it.server.set_waiting({"characters": [0, 0, 1]})
        assert [answer.ask for answer in it.answers] == [1]
        it.server.stop_starts(it.connection)
        assert it.answers[-1] == Refuse(2, DRAINING)


async def test_drain_refuses_who_waits(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        it.ask(1, start=True)
        await it.server.drain()
        assert it.answers == [Refuse(1, DRAINING)]


async def test_what_a_run_has_spent_is_known_to_the_next(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        for number in range(30):
            it.ask(number)
        it.answer_all()
    async with desk(tmp_path, clock) as it:
        one = it.server.statistics().keys[0]
        assert one.origin == "restored"
        assert [window.used for window in one.windows] == [100, 30]
        it.ask(1)
        assert it.answers == []
        await clock.advance(1.1)
        assert len(it.answers) == 1


async def test_permits_out_at_the_end_of_a_run_count_as_unknown(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        for number in range(7):
            it.ask(number)
    async with desk(tmp_path, clock) as it:
        it.ask(1)
        await clock.advance(0.9)
        assert it.answers == []
        await clock.advance(0.2)
        assert len(it.answers) == 1
        assert it.server.statistics().keys[0].windows[1].used == 8


async def test_a_second_supervisor_on_the_same_journal_refuses_to_start(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock):
        with pytest.raises(RefusedError, match="another supervisor"):
            async with desk(tmp_path, clock):
                pass


async def test_a_disconnect_is_the_end_of_its_waits_and_not_of_its_slots(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        for number in range(105):
            it.ask(number)
        it.server.disconnect(it.connection)
        it.server.disconnect(it.connection)
        statistics = it.server.statistics()
        assert statistics.keys[0].in_flight == 100
        assert statistics.workers["characters"].waiting_requests == 0
        await clock.advance(2.1)
        assert it.server.statistics().keys[0].in_flight == 0


async def test_new_keys_of_a_reload_serve_at_once(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        for number in range(150):
            it.ask(number)
        assert len(it.answers) == 100
        it.server.reconfigure(config(key(), key("osint-2")))
        assert len(it.answers) == 150


async def test_statistics_say_what_limits_a_worker(tmp_path: Path, clock: FakeClock) -> None:
    second, hour = api().windows
    few = type(hour)(requests=20, per_s=3600.0)
    async with desk(tmp_path, clock, config(api(windows=(second, few)), worker(), worker("items", "dma"))) as it:
        assert it.server.statistics().workers["characters"].limited_by == ""
        for number in range(22):
            it.ask(number)
        statistics = it.server.statistics()
        assert statistics.workers["characters"].limited_by == "hour"
        assert statistics.workers["characters"].waiting_requests == 2
        assert statistics.workers["characters"].waits.buckets()[-1] == ("+Inf", 20.0)
        assert statistics.keys[0].windows[1].left == 0
        it.server.set_waiting({"items": [0, 0, 1]})
    async with desk(
        tmp_path / "other", clock, config(api(auth="client_credentials", token_url="http://127.0.0.1:9/"))
    ) as it:
        it.ask(1)
        assert it.server.statistics().workers["characters"].limited_by == "no key"
        assert it.server.statistics().keys[0].state == "no token"


async def test_a_server_that_never_started_can_be_asked_and_stopped(tmp_path: Path, clock: FakeClock) -> None:
    server = PermitServer(
        config=config(), clock=clock, events=Heard().events, random=Random(1), journal_path=tmp_path / "journal"
    )
    assert server.statistics().keys[0].state == "no token"
    await server.stop()
    assert not (tmp_path / "journal").exists()


async def test_no_task_is_left_after_stop(tmp_path: Path, clock: FakeClock) -> None:
    async with desk(tmp_path, clock) as it:
        it.ask(1)
        await clock.advance(3.0)
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert {"permit timer", "permit journal", "tokens"} <= names
    left = {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    assert not {name for name in left if "permit" in name or "token" in name}
