"""Real replicas: growing, shrinking, replacing on purpose."""

from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.control.memory import pss_bytes
from supervisor.core.errors import RefusedError
from supervisor.core.messages.replica_supervisor import Release
from tests.pools.harness import Scene, a_worker, is_running, quick
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


async def test_growing_keeps_the_old_pids_and_shrinking_drains_the_newest(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 5))
    await scene.pools.start()
    five = await scene.ready(5)
    scene.apply(a_worker("work", 8))
    eight = await scene.ready(8)
    assert five.items() <= eight.items()
    scene.apply(a_worker("work", 3))
    three = await scene.ready(3)
    assert three == {name: five[name] for name in ("work#1", "work#2", "work#3")}
    assert {(crashed, status) for _, crashed, status in await scene.exited(5)} == {(False, "exit 0")}
    assert scene.named("replica_killed") == []
    assert scene.permits.no_starts == {f"work#{n}" for n in range(4, 9)}


async def test_forty_replicas_are_ready_in_seconds_and_share_their_memory(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 40))
    await scene.pools.start()
    began = scene.clock.monotonic()
    pids = await scene.ready(40)
    assert scene.clock.monotonic() - began < 5.0
    assert sum(unshared_mb(pid) for pid in pids.values()) / 40 < 6.0


def unshared_mb(pid: int) -> float:
    """Return the memory of `pid` that no other process maps (USS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


async def test_last_messages_of_a_replica_reach_the_limiter_before_its_connection_ends(
    begin: Callable[..., Scene],
) -> None:
    scene = begin(a_worker("work", 1))
    await scene.pools.start()
    await scene.ready(1)
    await scene.pools.drain(scene.clock.monotonic() + 5)
    [(name, message)] = scene.permits.received
    assert isinstance(message, Release)
    assert (name, message.permit) == ("work#1", 7)
    assert scene.permits.connected == {}


async def test_concurrency_and_pause_are_pushed_without_restart(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2, concurrency=2))
    await scene.pools.start()
    before = await scene.ready(2)
    scene.apply(a_worker("work", 2, concurrency=3))
    scene.apply(a_worker("work", 2, concurrency=3, paused=True))
    await eventually(lambda: scene.log("work#1"), _paused)
    assert scene.pids() == before
    assert scene.worker().desired_concurrency == 3
    await eventually(lambda: scene.worker().effective_concurrency, lambda concurrency: concurrency == 0)


def _paused(lines: list[str]) -> bool:
    return lines[1:] == ["concurrency 2", "concurrency 3", "concurrency 0"]


async def test_changed_environment_replaces_the_pool_rolling_and_leaves_the_others(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 3), a_worker("other", 1))
    await scene.pools.start()
    old, other = await scene.ready(3), await scene.ready(1, "other")
    fewest = [3]
    scene.apply(a_worker("work", 3, environment={"NEW": "1"}), a_worker("other", 1))

    def replaced() -> bool:
        fewest.append(len(scene.pids()))
        return len(scene.pids()) == 3 and not set(scene.pids().values()) & set(old.values())

    await eventually(replaced)
    assert min(fewest) >= 3
    assert await scene.ready(1, "other") == other
    assert scene.pools.statistics().zygote_generation == 2, "forked with the code of today"
    assert len(scene.pools.statistics().zygote_pids) == 2, "the first one stays for the pool that stays"


async def test_restart_runs_on_a_new_zygote_and_the_old_one_ends(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2))
    await scene.pools.start()
    old = await scene.ready(2)
    (zygote,) = scene.pools.statistics().zygote_pids
    await scene.pools.restart("work")
    assert await scene.pools.converged("work", scene.clock.monotonic() + 10)
    await eventually(lambda: scene.pools.statistics().zygote_pids, lambda pids: zygote not in pids and len(pids) == 1)
    assert not set((await scene.ready(2)).values()) & set(old.values())
    assert scene.pools.statistics().zygote_deaths == 0
    assert not is_running(zygote)


async def test_leaking_replicas_are_replaced_one_at_a_time(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2, "leak", max_pss_bytes=40_000_000), a_worker("other", 1))
    await scene.pools.start()
    old, other = await scene.ready(2), await scene.ready(1, "other")
    await eventually(lambda: [pss_bytes(pid) for pid in old.values()], lambda sizes: min(sizes) > 40_000_000)
    sizes = {pid: pss_bytes(pid) for pid in [*old.values(), *other.values()]}
    for _ in range(3):
        scene.pools.recycle(sizes)
    heavy = [event["pid"] for event in scene.named("replica_too_heavy")]
    assert len(heavy) == 1
    assert await scene.exited() == [(name, False, "exit 0") for name, pid in old.items() if pid in heavy]
    assert set(old.values()) & set((await scene.ready(2)).values()) == set(old.values()) - set(heavy)
    assert await scene.ready(1, "other") == other
    assert scene.worker().restarts == {"memory": 1}
    assert not scene.worker().degraded


async def test_restart_of_an_unknown_worker_is_refused(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 1))
    with pytest.raises(RefusedError, match="wokr: no such worker; there are work"):
        await scene.pools.restart("wokr")


async def test_removed_worker_is_drained_and_forgotten(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 1), a_worker("other", 2))
    await scene.pools.start()
    await scene.ready(2, "other")
    scene.apply(a_worker("work", 1))
    await eventually(lambda: list(scene.pools.statistics().workers), lambda names: names == ["work"])
    assert scene.named("replica_killed") == []


async def test_drain_ends_everything_and_kills_only_at_grace(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2), a_worker("deaf", 1, "deaf", grace_s=0.5), limits=quick(silence_s=5.0))
    await scene.pools.start()
    await scene.ready(2)
    await scene.ready(1, "deaf")
    await scene.pools.drain(scene.clock.monotonic() + 5)
    assert {name: (crashed, status) for name, crashed, status in scene.exits} == {
        "work#1": (False, "exit 0"),
        "work#2": (False, "exit 0"),
        "deaf#1": (False, "grace over, signal 9 (SIGKILL)"),
    }


async def test_drain_deadline_cuts_a_longer_grace_short(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("deaf", 1, "deaf", grace_s=60.0), limits=quick(silence_s=5.0))
    await scene.pools.start()
    await scene.ready(1, "deaf")
    scene.apply(a_worker("deaf", 0, "deaf", grace_s=60.0))
    await eventually(lambda: scene.worker("deaf").states, lambda states: states == {"draining": 1})
    await scene.pools.drain(scene.clock.monotonic() + 0.3)
    assert [status for _, _, status in scene.exits] == ["grace over, signal 9 (SIGKILL)"]


async def test_replica_that_was_never_ready_does_not_hold_up_a_drain(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("never", 1, "never", grace_s=60.0))
    await scene.pools.start()
    await eventually(lambda: scene.named("replica_started"))
    await scene.pools.drain(scene.clock.monotonic() + 5)
    assert scene.exits == [("never#1", False, "grace over, signal 9 (SIGKILL)")]


async def test_stop_twice_and_before_start_is_safe(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 1))
    await scene.pools.stop()
    await scene.pools.start()
    await scene.ready(1)
    await scene.pools.stop()
    await scene.pools.stop()
    assert scene.exits == [("work#1", False, "stopped, signal 9 (SIGKILL)")]
