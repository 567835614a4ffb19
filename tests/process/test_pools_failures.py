"""Real replicas that crash, hang, flood, refuse and never start."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.pools.harness import QUICK, Scene, a_worker, children, is_running, quick, send_signal
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


async def test_killed_replica_is_replaced_at_once_and_reported_as_crashed(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 3))
    await scene.pools.start()
    before = await scene.ready(3)
    send_signal(before["work#2"], signal.SIGKILL)
    assert await scene.exited(within_s=0.5) == [("work#2", True, "signal 9 (SIGKILL)")]
    crashed_at = scene.clock.monotonic()
    after = await scene.ready(3)
    assert scene.clock.monotonic() - crashed_at < 0.5 + QUICK.backoff_base_s
    assert {name for name in before if before[name] != after[name]} == {"work#2"}
    assert scene.worker().restarts == {"crashed": 1}
    assert scene.worker().last_exit == "work#2: signal 9 (SIGKILL)"


async def test_stopped_replica_counts_as_hung_and_is_replaced(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2))
    await scene.pools.start()
    before = await scene.ready(2)
    send_signal(before["work#1"], signal.SIGSTOP)
    assert await scene.exited() == [("work#1", True, "hung, signal 9 (SIGKILL)")]
    after = await scene.ready(2)
    assert after["work#1"] != before["work#1"]
    assert after["work#2"] == before["work#2"]


async def test_configuration_code_is_not_restarted_until_the_configuration_changes(
    begin: Callable[..., Scene],
) -> None:
    scene = begin(a_worker("work", 1, "refuse"))
    await scene.pools.start()
    await eventually(lambda: scene.worker().refused)
    exits = list(scene.exits)
    scene.pools._turn(scene.clock.monotonic() + 1e6)
    assert scene.exits == exits == [("work#1", True, "exit 78")]
    assert "nothing here can work" in [event["line"] for event in scene.named("replica_log")]
    scene.apply(a_worker("work", 1))
    await scene.ready(1)
    assert not scene.worker().refused


async def test_crash_loop_backs_off_degrades_and_leaves_other_pools_alone(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2), a_worker("bad", 2, "crash"))
    await scene.pools.start()
    healthy = await scene.ready(2)
    await eventually(lambda: scene.named("pool_degraded"))
    assert [event["worker"] for event in scene.named("pool_degraded")] == ["bad"]
    assert scene.worker("bad").degraded
    assert {status for _, _, status in scene.exits} == {"exit 3"}
    before = len(scene.exits)
    await scene.exited(before + 1)  # degraded, but never given up
    assert await scene.ready(2) == healthy


@pytest.mark.parametrize("code", [0, 1, 2, 70, 75, 255])
async def test_replica_that_exits_unasked_with_any_code_has_crashed_and_is_replaced(
    begin: Callable[..., Scene], code: int
) -> None:
    scene = begin(a_worker("work", 1), a_worker("bad", 1, "exit", environment={"CODE": str(code)}))
    await scene.pools.start()
    healthy = await scene.ready(1)
    assert (await scene.exited(2))[0] == ("bad#1", True, f"exit {code}")
    assert await scene.ready(1) == healthy


async def test_replica_that_is_never_ready_meets_its_start_timeout(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("never", 1, "never"), limits=quick(start_timeout_s=1.5))
    await scene.pools.start()
    assert await scene.exited() == [("never#1", True, "start timeout, signal 9 (SIGKILL)")]


async def test_starts_that_hang_do_not_hold_up_other_pools(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("never", 6, "never"), a_worker("work", 2), limits=quick(start_counts_s=0.1))
    await scene.pools.start()
    assert len(await scene.ready(2)) == 2


async def test_replica_without_connection_is_killed(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("mute", 1, "mute"), limits=quick(closing_s=0.2, silence_s=5.0))
    await scene.pools.start()
    assert (await scene.exited())[0] == ("mute#1", True, "connection lost, signal 9 (SIGKILL)")


async def test_replica_ends_itself_when_the_supervisor_hangs_up(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 1))
    await scene.pools.start()
    await scene.ready(1)
    scene.pools._replicas()[0]._connection.close()
    assert await scene.exited(within_s=0.5) == [("work#1", True, "exit 1")]
    await scene.ready(1)


async def test_flood_neither_blocks_the_replica_nor_fills_the_log(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("flood", 1, "flood"), limits=quick(silence_s=30.0, margin_s=0.0))
    await scene.pools.start()
    await scene.ready(1, "flood")
    await eventually(lambda: sum(event["lines"] for event in scene.named("replica_log_dropped")), lambda n: n > 100)
    scene.apply(a_worker("flood", 0, "flood"))
    assert await scene.exited() == [("flood#1", False, "exit 0")]
    assert len(scene.named("replica_log")) < 1000
    assert max(len(event["line"]) for event in scene.named("replica_log")) < 9000


async def test_dead_zygote_takes_all_down_and_all_come_back_blameless(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 3), a_worker("other", 2))
    await scene.pools.start()
    before = {**await scene.ready(3), **await scene.ready(2, "other")}
    (zygote,) = scene.pools.statistics().zygote_pids
    send_signal(zygote, signal.SIGKILL)
    exits = await scene.exited(5, within_s=2.0)
    assert {(crashed, status) for _, crashed, status in exits} <= {
        (False, "signal 9 (SIGKILL)"),
        (False, "zygote lost, signal 9 (SIGKILL)"),
    }
    after = {**await scene.ready(3), **await scene.ready(2, "other")}
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())
    assert not any(is_running(pid) for pid in before.values())
    assert scene.worker().restarts == {"zygote lost": 3}
    assert not scene.worker().degraded


async def test_stopped_zygote_is_left_for_a_new_one_and_its_replicas_live_on(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2), limits=quick(start_timeout_s=1.5))
    await scene.pools.start()
    before = await scene.ready(2)
    (zygote,) = scene.pools.statistics().zygote_pids
    send_signal(zygote, signal.SIGSTOP)
    scene.apply(a_worker("work", 3))
    after = await scene.ready(3)
    assert before.items() <= after.items()
    send_signal(zygote, signal.SIGCONT)  # what it forks now, nobody wants
    await eventually(lambda: set(children(zygote)), lambda pids: pids == set(before.values()))


async def test_exit_is_reported_although_the_zygote_says_nothing(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 1), limits=quick(closing_s=0.2))
    await scene.pools.start()
    pids = await scene.ready(1)
    (zygote,) = scene.pools.statistics().zygote_pids
    send_signal(zygote, signal.SIGSTOP)
    send_signal(pids["work#1"], signal.SIGKILL)
    assert await scene.exited(within_s=2.0) == [("work#1", True, "unknown")]
    send_signal(zygote, signal.SIGCONT)
    await scene.ready(1)


async def test_supervisor_that_stood_still_does_not_take_its_replicas_for_hung(begin: Callable[..., Scene]) -> None:
    scene = begin(a_worker("work", 2), limits=quick(stall_s=0.3))
    await scene.pools.start()
    before = await scene.ready(2)
    os.system("sleep 1")  # noqa: ASYNC221 - the loop must stand still, longer than a replica may be silent
    await eventually(lambda: scene.pools._replicas()[0].why_kill(scene.clock.monotonic()) is None)
    assert await scene.ready(2) == before
    assert scene.exits == []


async def test_adopted_grandchild_is_reaped(begin: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.pools.orphans.OWNER_HAS_S", 0.3)
    not_ours = set(children(os.getpid()))
    scene = begin(a_worker("work", 1, "spawn"))
    await scene.pools.start()
    await scene.exited(2)
    scene.apply(a_worker("work", 1))
    assert await scene.pools.converged("work", scene.clock.monotonic() + 5)
    await scene.ready(1)
    ours = set(scene.pools.statistics().zygote_pids)
    await eventually(lambda: set(children(os.getpid())) - not_ours, lambda pids: pids == ours)
