"""The database process, kept alive: with a stand-in for the process, by the clock."""

import asyncio
from random import Random
from typing import cast

import pytest

from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.core.events import Events
from supervisor.database.child import Child
from supervisor.database.lifeline import HUNG_AFTER_S, LOOK_EVERY_S, READY_WITHIN_S, Lifeline
from supervisor.database.restarts import BACKOFF_CAP_S, BUDGET_DEATHS
from tests.support.clock import FakeClock


class StandIn:
    """A process that ends when told to; -9 when killed."""

    pid = 4711

    def __init__(self, code: int | None = None) -> None:
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if code is not None:
            self.exited.set_result(code)

    async def connect(self) -> None:
        """Nothing to open."""

    def kill(self) -> None:
        if not self.exited.done():
            self.exited.set_result(-9)


class Kept:
    """A lifeline over scripted exit codes; None = runs until killed."""

    def __init__(self, clock: FakeClock, *codes: int | None) -> None:
        self.script = list(codes)
        self.children: list[StandIn] = []
        self.lost = 0
        self.told: list[str] = []
        events = Events()
        events.subscribe(lambda name, fields: self.told.append(name))
        self.life = Lifeline(
            launch=self._launch, greet=lambda child: None, lost=self._lost, clock=clock, events=events, random=Random(1)
        )
        self.running = asyncio.ensure_future(self.life.run())

    async def stop(self) -> None:
        self.life.stop()
        self.children[-1].kill()
        await self.running

    def _launch(self) -> Child:
        self.children.append(StandIn(self.script.pop(0) if self.script else None))
        return cast(Child, self.children[-1])

    def _lost(self) -> None:
        self.lost += 1


async def let_pass(clock: FakeClock, seconds: float) -> None:
    """Advance in steps, so that a wait that begins on the way also ends on it."""
    for _ in range(40):
        await clock.advance(seconds / 40)


async def test_process_that_dies_is_started_again(clock: FakeClock) -> None:
    kept = Kept(clock, None, -11, None)
    await clock.advance(0)
    kept.life.ready()
    kept.children[0].kill()
    await let_pass(clock, BACKOFF_CAP_S)
    assert (len(kept.children), kept.lost, kept.life.restarts.total) == (3, 2, 2)
    await kept.stop()


async def test_process_that_never_gets_ready_is_given_up_at_the_first_start(clock: FakeClock) -> None:
    kept = Kept(clock, *[1] * 20)
    await let_pass(clock, 20.0)
    with pytest.raises(UnavailableError, match="cannot be started: it ended with 1"):
        await kept.running
    assert len(kept.children) == BUDGET_DEATHS + 1


@pytest.mark.parametrize(("code", "error"), [(78, ConfigurationError), (75, UnavailableError)])
async def test_first_refusal_is_raised(clock: FakeClock, code: int, error: type[Exception]) -> None:
    kept = Kept(clock, code)
    kept.life.reason = "gatherer.db: not a database"
    with pytest.raises(error, match="not a database"):
        await kept.running


async def test_refused_process_waits_for_new_settings(clock: FakeClock) -> None:
    kept = Kept(clock, None, 78, None)
    await clock.advance(0)
    kept.life.ready()
    kept.children[0].kill()
    await let_pass(clock, 3600.0)
    assert (len(kept.children), kept.life.state) == (2, "refused")
    kept.life.try_again()
    await clock.advance(0)
    assert len(kept.children) == 3
    await kept.stop()


async def test_silent_process_is_killed(clock: FakeClock) -> None:
    kept = Kept(clock)
    await clock.advance(0)
    kept.life.ready()
    await let_pass(clock, HUNG_AFTER_S - 1)
    kept.life.heard()
    await let_pass(clock, HUNG_AFTER_S - 1)
    assert not kept.children[0].exited.done()
    await let_pass(clock, 2 * LOOK_EVERY_S)
    assert kept.children[0].exited.done()
    assert "database_hung" in kept.told
    await kept.stop()


async def test_long_migration_is_not_taken_for_silence(clock: FakeClock) -> None:
    kept = Kept(clock)
    await let_pass(clock, READY_WITHIN_S - LOOK_EVERY_S)
    assert kept.told == []
    await kept.stop()
