"""All pools: make the processes what the configuration says, and keep them so.

    start ─▶ converge, each time something changed and each tick ─▶ drain(deadline) ─▶ stop

A turn compares desired with actual and acts: kills the late, drains the surplus, starts the missing.
Nothing is done in reaction to an event beyond waking the next turn, so a crash, an edit, a lost
zygote and a restart all take the same path.
"""

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random

from supervisor.core.clock import Clock
from supervisor.core.errors import RefusedError
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Tally
from supervisor.pools import exits, kernel, sizing
from supervisor.pools.connection import PermitPort
from supervisor.pools.limits import Limits
from supervisor.pools.orphans import Orphans
from supervisor.pools.pool import Pool
from supervisor.pools.replica import Replica
from supervisor.pools.statistics import PoolsStatistics
from supervisor.pools.turns import Turns
from supervisor.pools.zygote_link import ZygoteLink
from supervisor.pools.zygotes import Zygotes
from supervisor.settings.config import Config
from supervisor.settings.derived import api_profile

RUNNER = "supervisor.worker.main:run_replica"
STOP_TIMEOUT_S = 2.0  # for SIGKILL to take effect; more means a process that hangs in the kernel


class Pools:
    """Every replica of every worker.

    replica_exited(replica, crashed, status): the process is gone. tally(worker, measured): as sent
    by a replica. runner: "module:function" that the zygote runs in each replica.
    """

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        events: Events,
        random: Random,
        run_dir: Path,
        permits: PermitPort,
        replica_exited: Callable[[str, bool, str], None],
        tally: Callable[[str, Tally], None],
        runner: str = RUNNER,
        limits: Limits | None = None,
    ) -> None:
        self._clock = clock
        self._events = events
        self._random = random
        self._database_socket = run_dir / "database.sock"
        self._permits = permits
        self._replica_exited = replica_exited
        self._tally = tally
        self._limits = limits or Limits()
        self._zygotes = Zygotes(
            runner=runner, clock=clock, events=events, random=random, limits=self._limits, lost=self._zygote_lost
        )
        self._pools: dict[str, Pool] = {}
        self._config: Config | None = None
        self._orphans = Orphans()
        self._turns = Turns(
            clock=clock, events=events, limits=self._limits, turn=self._turn, stalled=self._forgive_silence
        )
        self._drain_by: float | None = None
        self.apply(config)

    def prepare(self) -> None:
        """Start the zygote, which imports while the rest of the program starts.

        Must be called on the main thread, in the event loop. Safe when called twice.
        """
        kernel.become_subreaper()
        self._zygotes.current()

    async def start(self) -> None:
        """Begin to converge, with the zygote of `prepare`; returns before any replica is ready.

        Must be called on the main thread. Safe when called twice.
        """
        if not self._turns.is_running:
            self.prepare()
            self._turns.start()

    def apply(self, config: Config) -> None:
        """Make `config` what the pools converge to; touches only what differs."""
        if config == self._config:
            return
        self._config = config
        for worker in config.workers.values():
            api = api_profile(config, worker.name)
            pool = self._pools.get(worker.name)
            if pool is None:
                self._pools[worker.name] = Pool(
                    worker, api, limits=self._limits, random=self._random, events=self._events
                )
            elif pool.apply(worker, api):
                self._zygotes.renew()
        for name, pool in self._pools.items():
            pool.is_wanted = name in config.workers
        self._zygotes.import_modules({worker.job for worker in config.workers.values() if not worker.path})
        self._turns.wake()

    def set_concurrency(self, worker: str, concurrency: int | None) -> None:
        """Put `concurrency` in force in each replica of `worker`, in place; None = as configured."""
        pool = self._pools.get(worker)
        if pool is not None:
            pool.move_to(concurrency)

    def ready_replicas(self, worker: str) -> int:
        """Return how many replicas of `worker` are ready."""
        pool = self._pools.get(worker)
        return sum(r.state == sizing.READY for r in pool.replicas.values()) if pool is not None else 0

    async def restart(self, worker: str) -> None:
        """Begin to replace the replicas of `worker`, rolling, by ones with the code of today.

        RefusedError when there is no such worker. Returns at once; see `converged`.
        """
        pool = self._pools.get(worker)
        if pool is None:
            raise RefusedError(f"{worker}: no such worker; there are {', '.join(sorted(self._pools))}")
        self._zygotes.renew()
        pool.renew()
        self._turns.wake()

    def recycle(self, pss_bytes: Mapping[int, int]) -> None:
        """Replace what takes more than its worker's max_pss, one of a worker at a time. pss_bytes: by pid, of now."""
        for pool in self._pools.values():
            replica = pool.recycle(pss_bytes)
            if replica is not None:
                taken_bytes = pss_bytes[replica.pid]
                self._events.emit("replica_too_heavy", replica=replica.name, pid=replica.pid, pss_bytes=taken_bytes)
                self._turns.wake()

    async def converged(self, worker: str, deadline: float) -> bool:
        """Wait until `worker` has its desired replicas ready and the rest draining; False at `deadline`."""
        return await self._turns.until(lambda: worker in self._pools and self._pools[worker].is_settled(), deadline)

    async def drain(self, deadline: float) -> None:
        """Drain every replica; return when all are gone. What is left at `deadline` is killed."""
        self._drain_by = deadline
        now = self._clock.monotonic()
        for pool in self._pools.values():
            for replica in pool.replicas.values():
                replica.drain(min(now + pool.worker.grace_s, deadline))
        self._turns.wake()
        await self._turns.until(lambda: not self._replicas(), deadline + STOP_TIMEOUT_S)

    async def stop(self) -> None:
        """Kill what is left, end the zygotes, wait for all of them. Safe when called twice or before start."""
        if not self._turns.is_running:
            self._zygotes.close()
            return
        self._drain_by = self._clock.monotonic()
        for replica in self._replicas():
            replica.kill(exits.STOPPED)
        await self._turns.until(lambda: not self._replicas(), self._drain_by + STOP_TIMEOUT_S)
        self._zygotes.close()
        if not await self._turns.until(lambda: not self._zygotes.pids, self._drain_by + STOP_TIMEOUT_S):
            self._zygotes.kill()
            await self._turns.until(lambda: not self._zygotes.pids, self._clock.monotonic() + STOP_TIMEOUT_S)
        await self._turns.stop()

    def statistics(self) -> PoolsStatistics:
        """Return what people see of all pools."""
        now = self._clock.monotonic()
        return PoolsStatistics(
            workers={name: pool.statistics(now) for name, pool in self._pools.items()},
            zygote_pids=self._zygotes.pids,
            zygote_generation=self._zygotes.generation,
            zygote_deaths=self._zygotes.deaths,
        )

    def _tallied(self, pool: Pool, replica: Replica, tally: Tally) -> None:
        pool.tallied(replica, tally, self._clock.monotonic())
        self._tally(pool.worker.name, tally)

    def _turn(self, now: float) -> None:
        wishes: list[tuple[int, Pool]] = []
        for pool in self._pools.values():
            self._kill_late(pool, now)
            self._note_degraded(pool, now)
            plan = pool.plan(closing=self._drain_by is not None)
            for number in plan.drain:
                pool.replicas[number].drain(min(now + pool.worker.grace_s, self._drain_by or float("inf")))
            wishes += [(number, pool) for number in plan.spawn if pool.crashes.may_start(number, now)]
        # By number, so that every pool gets its first replica before one gets its second.
        for number, pool in sorted(wishes, key=lambda wish: wish[0])[: self._room_for_starts(now)]:
            self._spawn(pool, number)
        self._zygotes.retire({replica.link for replica in self._replicas()})
        self._pools = {name: pool for name, pool in self._pools.items() if pool.is_wanted or pool.replicas}
        self._orphans.reap(now)

    def _kill_late(self, pool: Pool, now: float) -> None:
        for replica in pool.replicas.values():
            reason = replica.why_kill(now)
            if reason is not None:
                replica.kill(reason)

    def _note_degraded(self, pool: Pool, now: float) -> None:
        degraded = pool.crashes.is_degraded(now)
        if degraded != pool.degraded:
            pool.degraded = degraded
            self._events.emit("pool_degraded" if degraded else "pool_recovered", worker=pool.worker.name)

    def _room_for_starts(self, now: float) -> int:
        starting = [r for r in self._replicas() if r.state == sizing.STARTING]
        fresh = sum(now - replica.born_at < self._limits.start_counts_s for replica in starting)
        return max(0, self._limits.starts_at_once - fresh)

    def _spawn(self, pool: Pool, number: int) -> None:
        link = self._zygotes.current()
        if link is None:
            return
        replica = Replica(
            number=number,
            fork=pool.fork(number, self._database_socket),
            link=link,
            clock=self._clock,
            events=self._events,
            limits=self._limits,
            permits=self._permits,
            tally=partial(self._tallied, pool),
            changed=self._turns.wake,
        )
        pool.add(replica)
        self._turns.start_soon(partial(self._live, pool, replica), name=f"replica {replica.name}")

    async def _live(self, pool: Pool, replica: Replica) -> None:
        try:
            end = await replica.run()
        except Exception:
            self._events.emit("pools_failed", replica=replica.name, traceback=traceback.format_exc())
            end = exits.not_forked("internal error")
        now = self._clock.monotonic()
        pool.remove(replica, end, now)
        self._events.emit(
            "replica_exited",
            worker=replica.worker,
            replica=replica.name,
            pid=replica.pid,
            reason=end.reason,
            status=end.status,
            crashed=end.crashed,
            lived_s=now - replica.born_at,
        )
        if replica.pid:
            self._replica_exited(replica.name, end.crashed, end.status)
        self._turns.wake()

    def _zygote_lost(self, link: ZygoteLink) -> None:
        for replica in self._replicas():
            if replica.link is link:
                replica.kill(exits.ZYGOTE_LOST)
        self._turns.wake()

    def _forgive_silence(self) -> None:
        # What the replicas sent while we stood still (stopped, starved) is still unread.
        for replica in self._replicas():
            replica.forgive_silence()

    def _replicas(self) -> list[Replica]:
        return [replica for pool in self._pools.values() for replica in pool.replicas.values()]
