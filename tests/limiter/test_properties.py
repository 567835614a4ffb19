"""Whatever happens, in whatever order: never more than N in any window, and no permit is lost.

The server is an adversary: it may count a request at any moment from its grant to its answer, and one of
unknown fate up to LINGER_S later. So what it may have counted in the window that ends at t is every
request granted by t whose span ends after t - W.
"""

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.core.messages.replica_supervisor import Grant
from supervisor.limiter.past import LINGER_S
from supervisor.limiter.permit import HOLD_LIMIT_S
from supervisor.settings.config import Window
from tests.limiter.support import Bench, Replica, api, config, key, worker

WINDOWS = (Window(requests=2, per_s=1.0), Window(requests=4, per_s=120.0))
MOMENTS = [0.001, 0.3, 0.5, 0.991, 0.9999, 1.0, 1.0025, 1.01, 2.0, 3.0, 70.0, 119.99, 121.0]
STATUSES = [200, 200, 200, 200, 404, 500, 429, 401]

which = st.integers(0, 20)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), which, st.integers(0, 3), st.integers(1, 8)),
        st.tuples(st.just("wait"), st.sampled_from(MOMENTS), st.just(0), st.just(0)),
        st.tuples(st.just("answer"), which, st.sampled_from(STATUSES), st.integers(1, 8)),
        st.tuples(st.sampled_from(["not sent", "unknown"]), which, st.just(0), st.integers(1, 8)),
        st.tuples(st.sampled_from(["disconnect", "cancel"]), which, st.just(0), st.just(1)),
        st.tuples(st.just("configure"), st.sampled_from([0.4, 1.0]), st.just(0), st.just(1)),
    ),
    min_size=10,
    max_size=60,
)
Script = list[tuple[str, float, int, int]]


@dataclass
class Span:
    """When a request may be counted: from its grant to `end` (inf while it is out).

    Nobody may hold a permit for longer than the hold limit and still send: replicas that fall silent are
    killed long before.
    """

    grant: Grant
    begin: float
    end: float = math.inf

    def may_count_after(self, moment: float) -> bool:
        return min(self.end, self.begin + HOLD_LIMIT_S + LINGER_S) > moment


@dataclass
class World:
    """The limiter, two replicas, and what the adversary may have counted."""

    bench: Bench = field(
        default_factory=lambda: Bench(
            config(api(windows=WINDOWS, hour="paced"), key("a"), key("b", tags=("osint", "dma")), worker())
        )
    )
    spans: list[Span] = field(default_factory=list)
    unsent: int = 0

    def __post_init__(self) -> None:
        self.replicas = [self.bench.replica(), self.bench.replica()]
        self._heard = [0, 0]
        self.bench.waiting(characters=[5, 100, 1000])

    def step(self, what: str, which: float, how: int, times: int) -> None:
        if what == "wait":
            self.bench.advance(which, self.note_grants)
        elif what == "configure":
            self.bench.configure(config(api(windows=WINDOWS, use=which), key("a"), key("b"), worker()))
        elif what == "disconnect":
            self.disconnect(int(which) % 2)
        for _ in range(times):
            self.one(what, int(which), how)
            self.note_grants()
        if any(one.credential is None for one in self.bench.limiter.ring.keys):
            self.bench.arm_keys()
            self.note_grants()

    def one(self, what: str, which: int, how: int) -> None:
        replica = self.replicas[which % 2]
        if what == "ask":
            replica.ask(priority=min(how, 2), wait_s=50.0, start=how == 3)
        elif what == "cancel":
            replica.cancel(replica.last_ask)
        elif what in ("answer", "not sent", "unknown"):
            self.give_back(what, which, how)

    def give_back(self, what: str, which: int, status: int) -> None:
        held = [(span, replica) for span, replica in self.held()]
        if not held:
            return
        span, replica = held[which % len(held)]
        if what == "answer":
            span.end = self.bench.now
            replica.answered(span.grant, status)
        elif what == "unknown":
            span.end = self.bench.now + LINGER_S
            replica.unknown(span.grant)
        else:
            self.spans.remove(span)
            self.unsent += 1
            replica.not_sent(span.grant)

    def held(self) -> list[tuple[Span, Replica]]:
        by_permit = {grant.permit: replica for replica in self.replicas for grant in replica.grants}
        return [
            (span, by_permit[span.grant.permit])
            for span in self.spans
            if span.end == math.inf and span.grant.permit in by_permit
        ]

    def disconnect(self, which: int) -> None:
        replica = self.replicas[which]
        for span, owner in self.held():
            if owner is replica:
                span.end = self.bench.now + LINGER_S
        self.bench.limiter.disconnect(replica.number, self.bench.now)
        self.replicas[which] = self.bench.replica()
        self._heard[which] = 0

    def note_grants(self) -> None:
        for n, replica in enumerate(self.replicas):
            for grant in replica.grants[self._heard[n] :]:
                self.spans.append(Span(grant, self.bench.now))
            self._heard[n] = len(replica.grants)
        self.check()

    def check(self) -> None:
        now = self.bench.now
        for name in ("a", "b"):
            mine = [span for span in self.spans if span.grant.key == name]
            for window in WINDOWS:
                counted = sum(span.may_count_after(now - window.per_s) for span in mine)
                assert counted <= window.requests, f"{counted} of {window} at {now}"
        out = len(self.bench.limiter.permits)
        assert out == sum(one.quota.in_flight for one in self.bench.limiter.ring.keys)
        granted = sum(one.granted for one in self.bench.limiter.ring.keys)
        assert granted == len(self.spans) + self.unsent


def explore(script: Script) -> None:
    """Play a script; whoever waits after a step must have a reason to."""
    world = World()
    for step in script:
        world.step(*step)
        for flow in world.bench.limiter.dispatcher.flows.values():
            for priority, lane in flow.wanting():
                able = [one.name for one in lane.candidates.keys if one._level(world.bench.now) >= priority]
                assert not able, f"{able} could serve priority {priority} after {step}"
    # In the end everything comes back: no slot leaks.
    for which in (0, 1):
        world.disconnect(which)
    world.bench.advance(LINGER_S + 0.01)
    assert len(world.bench.limiter.permits) == 0
    assert [one.quota.in_flight for one in world.bench.limiter.ring.keys] == [0, 0]


@settings(max_examples=15, deadline=None)
@given(steps)
def test_never_more_than_the_limit_no_permit_lost_and_nobody_waits_in_vain(script: Script) -> None:
    explore(script)


@pytest.mark.slow
@settings(max_examples=700, deadline=None)
@given(steps)
def test_the_same_with_many_more_scripts(script: Script) -> None:
    explore(script)
