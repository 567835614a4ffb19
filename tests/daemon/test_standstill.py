"""When the program gives itself up."""

import asyncio

from supervisor.core.events import Events
from supervisor.daemon.standstill import LOOK_EVERY_S, STANDSTILL_S, Standstill
from supervisor.pools.statistics import PoolsStatistics, WorkerStatistics
from tests.support.clock import FakeClock


def pool(desired: int, ready: int, *, refused: bool = False) -> WorkerStatistics:
    return WorkerStatistics(
        worker="work",
        desired_replicas=desired,
        desired_concurrency=1,
        effective_replicas=ready,
        effective_concurrency=1,
        paused=False,
        states={},
        executing=0,
        restarts={},
        degraded=False,
        refused=refused,
        last_exit="",
        replicas=(),
    )


class Pools:
    """What the pools say of themselves, as the test wants it."""

    def __init__(self, *pools: WorkerStatistics) -> None:
        self.pools = pools

    def statistics(self) -> PoolsStatistics:
        workers = {str(n): one for n, one in enumerate(self.pools)}
        return PoolsStatistics(workers=workers, zygote_pids=(), zygote_generation=1, zygote_deaths=0)


def standstill(pools: Pools, clock: FakeClock) -> Standstill:
    return Standstill(statistics=pools.statistics, clock=clock, events=Events())


def test_nothing_ready_for_five_minutes_is_a_standstill(clock: FakeClock) -> None:
    watch = standstill(Pools(pool(3, 0), pool(2, 0)), clock)
    assert not watch.run_once(0.0)
    assert not watch.run_once(STANDSTILL_S - 1)
    assert watch.run_once(STANDSTILL_S)
    assert watch.is_reached


def test_one_ready_replica_of_any_worker_begins_the_wait_anew(clock: FakeClock) -> None:
    pools = Pools(pool(3, 0), pool(2, 0))
    watch = standstill(pools, clock)
    watch.run_once(0.0)
    pools.pools = (pool(3, 0), pool(2, 1))
    assert not watch.run_once(STANDSTILL_S)
    pools.pools = (pool(3, 0), pool(2, 0))
    assert not watch.run_once(STANDSTILL_S + 1)
    assert not watch.run_once(2 * STANDSTILL_S)
    assert watch.run_once(2 * STANDSTILL_S + 1)


def test_who_wants_no_replica_or_refused_its_configuration_does_not_count(clock: FakeClock) -> None:
    watch = standstill(Pools(pool(0, 0), pool(2, 0, refused=True)), clock)
    watch.run_once(0.0)
    assert not watch.run_once(2 * STANDSTILL_S)


async def test_standstill_ends_the_wait_for_a_signal(clock: FakeClock) -> None:
    stop = asyncio.Event()
    watch = standstill(Pools(pool(1, 0)), clock)
    running = asyncio.create_task(watch.run(stop))
    await clock.advance(0)
    await clock.advance(STANDSTILL_S - LOOK_EVERY_S)
    assert not stop.is_set()
    await clock.advance(2 * LOOK_EVERY_S)
    assert stop.is_set()
    await running
