"""One replica as the supervisor sees it, from the request for a fork to its last status.

    starting ──Ready──▶ ready ──Drain──▶ draining ──exit──▶ stopped
        └───────────── exit, at any time ──────────────────────┘

`run` is its whole life and returns how it ended. The process is watched and killed by pidfd only:
a pid may belong to somebody else a moment later. A process that lives on without its connection is
killed, and so is one that is late (`sizing.why_kill` says which).
"""

import asyncio
import os
import socket
from collections.abc import Callable

from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Braked, Configure, Tally
from supervisor.core.messages.supervisor_zygote import Fork
from supervisor.pools import exits, kernel, sizing
from supervisor.pools.connection import Connection, PermitPort
from supervisor.pools.exits import Exit
from supervisor.pools.limits import Limits
from supervisor.pools.log_pipe import LogPipe
from supervisor.pools.statistics import ReplicaStatistics
from supervisor.pools.zygote_link import Child, ForkError, ZygoteLink, ZygoteLostError

# A short drain still leaves the replica this much of its time before it is told to be done.
WORKING_SHARE = 0.8


class Replica:
    """One process.

    number: of its slot. stale: made from an older recipe, to be replaced; set by its pool.
    tally(replica, measured): called with what it measured.
    changed(): called when a decision about the pool may have become due. Not safe to `run` twice.
    """

    def __init__(
        self,
        *,
        number: int,
        fork: Fork,
        link: ZygoteLink,
        clock: Clock,
        events: Events,
        limits: Limits,
        permits: PermitPort,
        tally: "Callable[[Replica, Tally], None]",
        changed: Callable[[], None],
    ) -> None:
        self.number = number
        self.name = fork.replica
        self.worker = fork.worker
        self.link = link
        self.state = sizing.STARTING
        self.stale = False
        self.pid = 0
        self.born_at = self.since = clock.monotonic()
        self.ready_at: float | None = None
        self._fork = fork
        self._clock = clock
        self._events = events
        self._limits = limits
        self._changed = changed
        self._connection = Connection(
            replica=self.name,
            worker=self.worker,
            clock=clock,
            permits=permits,
            tally=lambda measured: tally(self, measured),
            ready=self._become_ready,
            resized=changed,
            broke=self._emit_broken,
        )
        self._child: Child | None = None
        self._log: LogPipe | None = None
        self._kill_at: float | None = None
        self._kill_reason = ""
        self._gone = asyncio.Event()

    async def run(self) -> Exit:
        """Be forked, live, end. Cancelled: the process is killed and left to its parent to wait for."""
        try:
            await self._be_born()
            await self._gone.wait()
            await self._connection.hang_up(self._limits.closing_s)
            return await self._judge()
        except ForkError as error:
            return exits.not_forked(str(error))
        except ZygoteLostError:
            return exits.zygote_lost()
        finally:
            self._close()

    @property
    def concurrency(self) -> int | None:
        """Return the jobs at once that are in force in it; None = it has not said so yet."""
        return self._connection.concurrency

    def configure(self, message: Configure) -> None:
        """Put `message` in force, unless it is already."""
        self._connection.configure(message)

    def brake(self, message: Braked) -> None:
        """Say which endpoints it shall leave alone from now on."""
        self._connection.brake(message)

    def drain(self, kill_at: float) -> None:
        """Tell the replica to finish; it is killed at `kill_at`. A second call can only bring that forward.

        One that was never ready has no job to finish, and may be waiting for what will not come: it gets
        only the margin.
        """
        if self.ready_at is None:
            kill_at = min(kill_at, self._clock.monotonic() + self._limits.margin_s)
        if self._kill_at is not None and self._kill_at <= kill_at:
            return
        self._kill_at = kill_at
        left = max(0.0, kill_at - self._clock.monotonic())
        self._connection.drain(kill_at - min(self._limits.margin_s, (1 - WORKING_SHARE) * left))
        if self.state != sizing.DRAINING:
            self._enter(sizing.DRAINING)
            self._emit("replica_draining")

    def kill(self, reason: str) -> None:
        """SIGKILL the process, now or as soon as it exists. The first reason stays."""
        if self._kill_reason or self._gone.is_set():
            return
        self._kill_reason = reason
        if self._child is not None:
            self._emit("replica_killed", pid=self.pid, reason=reason)
            kernel.kill(self._child.pidfd)

    def forgive_silence(self) -> None:
        """Count silence from now: it was us who did not listen."""
        self._connection.heard_at = self._clock.monotonic()

    def view(self) -> sizing.View:
        """Return what a decision about the pool needs."""
        return sizing.View(
            number=self.number,
            state=self.state,
            executing=self._connection.executing,
            born_at=self.born_at,
            stale=self.stale,
        )

    def why_kill(self, now: float) -> str | None:
        """Return why this replica has to be killed now; None = it has not, or is being killed, or has ended."""
        if self._kill_reason or self._gone.is_set():
            return None
        vigil = sizing.Vigil(
            state=self.state,
            born_at=self.born_at,
            heard_at=self._connection.heard_at,
            was_ready=self.ready_at is not None,
            kill_at=self._kill_at,
            lost_at=self._connection.lost_at,
        )
        return sizing.why_kill(vigil, now, self._limits)

    def statistics(self, now: float) -> ReplicaStatistics:
        """Return what people see of it."""
        return ReplicaStatistics(
            name=self.name,
            pid=self.pid,
            state=self.state,
            since_s=now - self.since,
            executing=self._connection.executing,
        )

    async def _be_born(self) -> None:
        ours, theirs = socket.socketpair()
        log_fd, log_end = os.pipe()
        self._log = LogPipe(log_fd, self._clock, self._emit_line, self._emit_dropped)
        try:
            child = await self.link.fork(
                self._fork, control=theirs.fileno(), log=log_end, timeout_s=self._limits.start_timeout_s
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(log_end)
        self._adopt(child)
        await self._connection.open(ours)

    def _adopt(self, child: Child) -> None:
        self._child = child
        self.pid = child.pid
        asyncio.get_running_loop().add_reader(child.pidfd, self._ended)
        self._emit("replica_started", pid=child.pid)
        if self._kill_reason:  # decided while the fork was under way
            kernel.kill(child.pidfd)

    def _become_ready(self) -> None:
        if self.state != sizing.STARTING:
            return
        self.ready_at = self._clock.monotonic()
        self._enter(sizing.READY)
        self._emit("replica_ready", pid=self.pid, took_s=self.ready_at - self.born_at)

    def _ended(self) -> None:
        assert self._child is not None
        asyncio.get_running_loop().remove_reader(self._child.pidfd)
        self._gone.set()

    async def _judge(self) -> Exit:
        assert self._child is not None
        try:
            status = await asyncio.wait_for(self._status(self._child), self._limits.closing_s)
        except TimeoutError:
            status = None
        return exits.judge(
            status,
            draining=self.state == sizing.DRAINING,
            kill_reason=self._kill_reason,
            orphaned=not self.link.is_alive,
        )

    async def _status(self, child: Child) -> int | None:
        status = kernel.wait_status(child.pidfd)
        if status is not None:  # already our own child, so its zygote died first; wait until that is seen
            await asyncio.wait({child.status})
            return status
        status = await child.status
        # None: the zygote died before it could tell, and the kernel gave its child to us.
        return kernel.wait_status(child.pidfd) if status is None else status

    def _enter(self, state: str) -> None:
        self.state = state
        self.since = self._clock.monotonic()
        self._changed()

    def _close(self) -> None:
        self.state = sizing.STOPPED
        if self._child is not None:
            if not self._gone.is_set():
                asyncio.get_running_loop().remove_reader(self._child.pidfd)
                kernel.kill(self._child.pidfd)
            os.close(self._child.pidfd)
            self._child = None
        self._connection.close()
        if self._log is not None:
            self._log.close()

    def _emit(self, event: str, **fields: object) -> None:
        self._events.emit(event, worker=self.worker, replica=self.name, **fields)

    def _emit_line(self, line: str) -> None:
        self._emit("replica_log", line=line)

    def _emit_broken(self, why: str) -> None:
        self._emit("replica_broke_protocol", level="warning", pid=self.pid, why=why)

    def _emit_dropped(self, lines: int) -> None:
        self._emit("replica_log_dropped", lines=lines)
