"""A machine that does anything in any order, against an adversary at the server: no window is ever exceeded.

Replicas ask, answer late, give up, end; the supervisor is stopped, killed and started, the host rebooted; the wall
clock is set; settings change. The rules choose only what a client can know; where in between each request was
counted, the adversary decides afterwards, always for the worst (`adversary.py`).
"""

import math
import shutil
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from supervisor.core.messages.replica_supervisor import Grant
from supervisor.limiter.past import LINGER_S
from supervisor.settings.config import Window
from tests.limiter.adversary import Adversary, Request
from tests.limiter.machine import BOOT, NEXT_BOOT, Machine
from tests.limiter.servers import BUCKET, FIXED, LOG
from tests.limiter.support import Replica, api, config, key

WINDOWS = (Window(requests=3, per_s=1.0), Window(requests=9, per_s=120.0))
WAITS_S = [0.001, 0.04, 0.33, 0.5, 0.95, 0.991, 0.9999, 1.0, 1.003, 1.5, 2.0, 3.01, 10.0, 61.0, 119.0, 121.0]
STATUSES = [200, 200, 200, 200, 304, 404, 500, 429]
MEMORY = Path("/dev/shm")
UP_S, DOWN_S = 0.013, 0.027
WALL_WRONG_S = 0.004
which = st.integers(0, 20)


class World(RuleBasedStateMachine):
    """One key with two replicas on one host. kind: of the server; limits: the ways in which it may be configured."""

    kind = LOG
    limits: tuple[dict[str, Any], ...] = ({},)
    up_s = down_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        # In memory where there is such a folder: thousands of restarts would wait for the disk.
        self.folder = Path(tempfile.mkdtemp(prefix="gatherer-", dir=MEMORY if MEMORY.is_dir() else None))
        self.machine = Machine(self.folder, self._api(0))
        self.boots = 0
        # True time minus the monotonic clock, which starts anew with the host.
        self.true_base = 0.0
        self.adversary = Adversary(
            self.kind, WINDOWS, up_s=self.up_s, down_s=self.down_s, ticks_at=self._tick_of_the_server()
        )
        self.held: list[tuple[Replica, Grant, Request]] = []
        self._start()

    def teardown(self) -> None:
        self.machine.stop()
        shutil.rmtree(self.folder)

    # --- what replicas do

    @rule(which=which, priority=st.integers(0, 2), times=st.integers(1, 5))
    def ask(self, which: int, priority: int, times: int) -> None:
        for _ in range(times):
            self.replicas[which % 2].ask(priority=priority, wait_s=300.0)
            self._note_grants()

    @precondition(lambda self: self.held)
    @rule(which=which, status=st.sampled_from(STATUSES), times=st.integers(1, 4))
    def answer(self, which: int, status: int, times: int) -> None:
        for _ in range(min(times, len(self.held))):
            replica, grant, request = self.held[which % len(self.held)]
            if self.true_now - request.sent_at < self.up_s + self.down_s:
                self._pass(request.sent_at + self.up_s + self.down_s - self.true_now)
            self._drop(grant)
            self.adversary.answered(request, self.true_now)
            replica.answered(grant, status)
            self._note_grants()

    @precondition(lambda self: self.held)
    @rule(which=which)
    def give_up(self, which: int) -> None:
        replica, grant, request = self.held.pop(which % len(self.held))
        self.adversary.given_up(request, self.true_now)
        replica.unknown(grant)
        self._note_grants()

    @precondition(lambda self: self.held)
    @rule(which=which)
    def not_sent(self, which: int) -> None:
        replica, grant, request = self.held.pop(which % len(self.held))
        self.adversary.requests.remove(request)
        replica.not_sent(grant)
        self._note_grants()

    @rule(which=which)
    def end_of_a_replica(self, which: int) -> None:
        self._ended(self.replicas[which % 2])
        self.machine.bench.limiter.disconnect(self.replicas[which % 2].number, self.machine.bench.now)
        self.replicas[which % 2] = self._replica()
        self._note_grants()

    # --- what time and people do

    @rule(seconds=st.sampled_from(WAITS_S))
    def wait(self, seconds: float) -> None:
        self._pass(seconds)

    @rule(which=which, use=st.sampled_from([0.4, 1.0]))
    def configure(self, which: int, use: float) -> None:
        before, self.machine.limits = self.machine.limits, self._api(which, use=use)
        if before.theta != self.machine.limits.theta:
            self.no_theta_since = self.true_now
        self.machine.bench.configure(config(self.machine.limits, key()))
        self._read_wall()
        self._note_grants()

    # After a start there is no theta before fifty answers, and no answer before a full second has passed. So it is
    # when it was off, and slots of unknown fate were counted without the room that it needs.
    @precondition(lambda self: self.up_s and self.machine.limits.theta == "auto")
    @precondition(lambda self: self.true_now - self.no_theta_since > LINGER_S + 1.01)
    @rule(share=st.sampled_from([0.0, 0.5, 1.0]))
    def believe(self, share: float) -> None:
        """theta goes up and down, up to what is true of the way; answers, which teach another one, are not heard."""
        quota = self.machine.bench.key().quota
        quota.evidence.learns = False
        quota.evidence.theta.value = share * (self.up_s + self.down_s)
        quota._recount(self.machine.bench.now)
        self.machine.bench.key().reopen()
        self._note_grants()

    @rule(seconds=st.sampled_from([-3600.0, -2.0, 2.0, 3600.0]))
    def set_the_wall_clock(self, seconds: float) -> None:
        if self.kind == FIXED:
            # There it is the server's clock as well: only its whole windows may be skipped.
            seconds = math.copysign(3600.0, seconds)
        self.machine.clock.jump_wall(seconds)
        self.machine.journal.stamp()
        self._read_wall()

    # --- what becomes of the supervisor and its host

    @rule(off_s=st.sampled_from([0.0, 0.2, 1.0, 30.0]))
    def kill_and_start(self, off_s: float) -> None:
        self.machine.crash()
        self._restart(off_s)

    @rule(off_s=st.sampled_from([0.0, 0.2, 1.0, 30.0]))
    def stop_and_start(self, off_s: float) -> None:
        self.machine.stop()
        self._restart(off_s)

    @rule(off_s=st.sampled_from([5.0, 70.0]), back_s=st.sampled_from([0.0, 100.0]), cleanly=st.booleans())
    def reboot(self, off_s: float, back_s: float, cleanly: bool) -> None:
        if cleanly:
            self.machine.stop()
        else:
            self.machine.journal.stamp()
            self.machine.crash()
        self._all_ended()
        end = self.true_now + off_s
        self.machine.reboot(off_s)
        self.machine.clock.jump_wall(-back_s if self.kind != FIXED else 0.0)
        self.boots += 1
        self.machine.boot_id = NEXT_BOOT if self.boots % 2 else BOOT
        self.true_base = end - self.machine.clock.monotonic()
        self._start()

    @initialize(which=which)
    def begin_in_some_mode(self, which: int) -> None:
        self.configure(which, 1.0)

    @invariant()
    def in_flight_is_what_is_out(self) -> None:
        limiter = self.machine.bench.limiter
        assert len(limiter.permits) == limiter.ring.keys[0].quota.in_flight

    # --- how

    @property
    def true_now(self) -> float:
        return self.machine.bench.now + self.true_base

    def _api(self, which: int, use: float = 1.0) -> Any:
        chosen = self.limits[which % len(self.limits)]
        return api(windows=WINDOWS, use=use, **({"hour": "burst"} | chosen))

    def _tick_of_the_server(self) -> float:
        return (self.machine.clock.monotonic() - self.machine.clock.wall() + WALL_WRONG_S) % 1.0

    def _start(self) -> None:
        self.machine.start()
        self.no_theta_since = self.true_now
        self.replicas = [self._replica(), self._replica()]
        self._read_wall()
        self._note_grants()

    def _restart(self, off_s: float) -> None:
        self._all_ended()
        self.machine.clock.set(self.machine.bench.now + off_s)
        self._start()

    def _replica(self) -> Replica:
        replica = self.machine.bench.replica()
        self._heard = {**getattr(self, "_heard", {}), id(replica): 0}
        return replica

    def _read_wall(self) -> None:
        clock, bench = self.machine.clock, self.machine.bench
        bench.limiter.set_wall(clock.monotonic() - clock.wall(), bench.now)

    def _all_ended(self) -> None:
        for replica in self.replicas:
            self._ended(replica)

    def _ended(self, replica: Replica) -> None:
        for owner, _, request in self.held:
            if owner is replica:
                self.adversary.given_up(request, self.true_now)
        self.held = [each for each in self.held if each[0] is not replica]

    def _drop(self, grant: Grant) -> None:
        self.held = [each for each in self.held if each[1] is not grant]

    def _pass(self, seconds: float) -> None:
        end = self.machine.bench.now + seconds
        while self.machine.bench.now < end:
            step = min(end, max(self.machine.bench.limiter.next_at(), self.machine.bench.now)) - self.machine.bench.now
            self.machine.clock.set(self.machine.clock.monotonic() + step)
            self.machine.bench.advance(step, self._note_grants)
            if step == 0.0:
                self.machine.bench.limiter.tick(self.machine.bench.now)
            self._note_grants()

    def _note_grants(self) -> None:
        for replica in self.replicas:
            grants = replica.grants
            for grant in grants[self._heard[id(replica)] :]:
                self.held.append((replica, grant, self.adversary.sent(self.true_now)))
                excess = self.adversary.excess(self.true_now)
                assert not excess, f"{excess} too many of {WINDOWS} may have been counted"
            self._heard[id(replica)] = len(grants)


class SlidingWorld(World):
    pass


class ThetaWorld(World):
    limits = ({"theta": "auto"}, {})
    up_s, down_s = UP_S, DOWN_S


class BucketWorld(World):
    kind = BUCKET
    limits = ({"mode": "bucket"}, {})


class FixedWorld(World):
    kind = FIXED
    limits = ({"mode": "fixed", "phase_s": 0.0}, {})


WORLDS = [SlidingWorld, ThetaWorld, BucketWorld, FixedWorld]


@pytest.mark.parametrize("world", WORLDS)
def test_nothing_that_may_happen_exceeds_a_window(world: type[World]) -> None:
    run_state_machine_as_test(world, settings=settings(max_examples=5, stateful_step_count=25, deadline=None))


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_the_same_in_many_more_stories(world: type[World]) -> None:
    run_state_machine_as_test(world, settings=settings(max_examples=80, stateful_step_count=60, deadline=None))


def story(world: type[World]) -> None:
    """Fill the window in flight, give all up, and ask again and again."""
    it = world()
    try:
        it.configure(0, 1.0)
        for seconds in (0.4, 0.9, 1.0, 1.2, 2.1, 3.1):
            it.ask(0, 0, 3)
            it.wait(seconds)
            while it.held:
                it.give_up(0)
            it.wait(1.0)
    finally:
        it.teardown()


@pytest.mark.parametrize("world", WORLDS)
def test_the_adversary_finds_a_linger_of_nothing(world: type[World], monkeypatch: pytest.MonkeyPatch) -> None:
    story(world)
    monkeypatch.setattr("supervisor.limiter.permit.LINGER_S", 0.0)
    with pytest.raises(AssertionError, match="too many"):
        story(world)


@pytest.mark.parametrize(("more_s", "is_found"), [(0.0, False), (0.01, True)])
def test_the_adversary_finds_more_theta_than_is_true(more_s: float, is_found: bool) -> None:
    it = ThetaWorld()
    try:
        it.configure(0, 1.0)
        it.believe((UP_S + DOWN_S + more_s) / (UP_S + DOWN_S))
        it.ask(0, 0, 3)
        it.answer(0, 200, 3)
        it.ask(0, 0, 3)
        with pytest.raises(AssertionError, match="too many") if is_found else nullcontext():
            it.wait(1.5)
    finally:
        it.teardown()
