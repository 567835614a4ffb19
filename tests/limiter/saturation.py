"""One key under an endless backlog: every permit is used the moment it can be had, millions of times.

The real `Key` (quota, windows, what it learns) in virtual time, without the waiters of `simulation.py`: five times as
fast, and the counting is what is at stake here. What is measured:

    refused        by each server that judges the stream; the promise is 0
    utilisation    counted arrivals of N per W
    expected       what the rule allows: W / (W + mean round trip - theta + eps) for a sliding window
"""

import heapq
import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

from supervisor.limiter.key import Credential, Key
from supervisor.limiter.past import LINGER_S
from supervisor.limiter.theta import MIN_MINUTES
from supervisor.limiter.window import CLOCK_RATE_ERROR, CLOCK_STEP_S
from supervisor.settings.config import Window
from tests.limiter.network import DOWN, UP, Network
from tests.limiter.servers import BUCKET, FIXED, LOG, Judge
from tests.limiter.support import api, key

N, W = 100, 1.0
EPS_S = CLOCK_STEP_S + W * CLOCK_RATE_ERROR
UNIX = 1_700_000_000.0
WALL_WRONG_S = 0.004
"""How wrong the wall clock may be against the server's; the limiter allows for 5 ms."""
WARM_UP_S = 5.0

PROMISED = {"sliding": (LOG, FIXED, BUCKET), "bucket": (BUCKET,), "fixed": (FIXED,)}
"""Which servers may never refuse a mode."""

ARRIVE, ARRIVE_UNAWAITED, ANSWER, GIVE_UP, OVER, READ_WALL = range(6)


@dataclass
class Mutant:
    """What is wrong with a limiter that must be found out. Nothing by default.

    theta_more_s: more than is known. late_release_s: releases wait for that long. charges_at_send: requests
    count when they are sent, and no longer than a window from then. linger_s: how long a given-up request
    holds its slot. retried: share of requests that are sent a second time without a permit. limit: what
    is taken for the server's.
    """

    theta_more_s: float = 0.0
    late_release_s: float = 0.0
    charges_at_send: bool = False
    linger_s: float = LINGER_S
    retried: float = 0.0
    limit: int = N


@dataclass
class Outcome:
    """What a run has shown. rtt_s: mean from grant to release; theta_s: mean of what was in force at the answers."""

    mode: str
    requests: int = 0
    counted: int = 0
    seconds: float = 0.0
    rtt_s: float = 0.0
    theta_s: float = 0.0
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def utilisation(self) -> float:
        return self.counted / self.seconds / N * W

    @property
    def expected(self) -> float:
        if self.mode == "sliding":
            return W / (W + self.rtt_s - self.theta_s + EPS_S)
        return 1.0 / (1.0 + CLOCK_RATE_ERROR) if self.mode == "bucket" else 1.0

    def complaints(self, *, within: float = 0.005) -> list[str]:
        """Return what is wrong: refused requests, or too little of what could be used."""
        found = [f"{count} refused by {kind}" for kind, count in self.refused.items() if count]
        if self.utilisation < self.expected - within:
            found.append(f"used {self.utilisation:.2%}, {self.expected:.2%} could be")
        if self.mode == "sliding" and self.utilisation > self.expected + within:
            found.append(f"used {self.utilisation:.2%}, more than the {self.expected:.2%} that can be")
        return found


class Saturation:
    """One run. settings: of the API. timeout_s: after it the client gives up."""

    def __init__(
        self,
        seed: int,
        *,
        jitter_s: float,
        mode: str = "sliding",
        mutant: Mutant | None = None,
        timeout_s: float = math.inf,
        stall_every_s: float = 300.0,
        server_s: float = 0.015,
        **settings: Any,
    ) -> None:
        self.random = Random(seed)
        self.network = Network(self.random, jitter_s=jitter_s, stall_every_s=stall_every_s, server_s=server_s)
        self.now = 1000.0
        self.mode = mode
        self._mutant = mutant or Mutant()
        self._timeout_s = timeout_s
        limits = api(windows=(Window(requests=self._mutant.limit, per_s=W),), mode=mode, hour="burst", **settings)
        self.key = Key(key(), limits)
        self.key.set_credential(Credential())
        # Where Unix time 0 of the server's clock lies in ours, at any part of a second.
        zero_at = self.now - UNIX + self.random.random()
        self._zero_at = zero_at
        self.judges = [Judge(kind, N, W, zero_at) for kind in PROMISED[mode]]
        self._wall_wrong_s = self.random.uniform(-WALL_WRONG_S, WALL_WRONG_S)
        self._events: list[tuple[float, int, int, float]] = []
        self._order = 0
        self._at(self.now, READ_WALL, self.now)
        self.outcome = Outcome(mode)
        self._measured_from = self.now + WARM_UP_S

    def run(self, requests: int) -> Outcome:
        """Let so many more requests arrive."""
        key, events = self.key, self._events
        until = self.outcome.requests + requests
        while self.outcome.requests < until:
            while key.level(self.now) >= 0:
                self._send()
            frees_at = key.frees_at(0, self.now)
            if events and events[0][0] <= frees_at:
                self.now, _, what, sent_at = heapq.heappop(events)
                self._happens(what, sent_at)
            else:
                self.now = frees_at
        return self._result()

    def rest(self, seconds: float) -> None:
        """Let time pass and answers come without sending anything."""
        until = self.now + seconds
        while self._events[0][0] <= until:
            self.now, _, what, sent_at = heapq.heappop(self._events)
            self._happens(what, sent_at)
        self.now = until

    def learn(self) -> None:
        """Send a little in as many minutes as `theta = "auto"` wants to have seen."""
        for _ in range(MIN_MINUTES):
            self.run(100)
            self.rest(60.0)

    def _result(self) -> Outcome:
        outcome = self.outcome
        outcome.seconds = self.now - self._measured_from
        outcome.refused = {judge.kind: judge.refused for judge in self.judges}
        return outcome

    def _send(self) -> None:
        now = self.now
        self.key.grant(0, now)
        if self._mutant.charges_at_send:
            self.key.charge(now)
        arrival = now + self.network.delay(UP, now)
        if arrival - now > self._timeout_s:
            self._at(now + self._timeout_s, GIVE_UP, now)
            self._at(arrival, ARRIVE_UNAWAITED, now)
        else:
            self._at(arrival, ARRIVE, now)
        if self._mutant.retried and self.random.random() < self._mutant.retried:
            self._at(now + self.network.delay(UP, now), ARRIVE_UNAWAITED, now)

    def _happens(self, what: int, sent_at: float) -> None:
        if what == ARRIVE:
            self._arrive(sent_at)
        elif what == ARRIVE_UNAWAITED:
            self._count()
        elif what == ANSWER:
            self._answer(sent_at)
        elif what == GIVE_UP:
            self._at(self.now + self._mutant.linger_s, OVER, sent_at)
        elif what == READ_WALL:
            # As `server.py` does, once a second.
            self.key.quota.wall(self._zero_at + self._wall_wrong_s, self.now)
            self._at(self.now + 1.0, READ_WALL, self.now)
        else:
            self.key.charge_unseen(self.now)

    def _arrive(self, sent_at: float) -> None:
        now = self.now
        self._count()
        done = now + self.network.server_time(now)
        back = done + self.network.delay(DOWN, done)
        if back - sent_at > self._timeout_s:
            self._at(sent_at + self._timeout_s, GIVE_UP, sent_at)
        else:
            self._at(back + self._mutant.late_release_s, ANSWER, sent_at)

    def _count(self) -> None:
        """Show an arrival to all judges."""
        is_served = True
        for judge in self.judges:
            is_served = judge.arrives(self.now) and is_served
        self.outcome.requests += 1
        self.outcome.counted += is_served and self.now >= self._measured_from

    def _answer(self, sent_at: float) -> None:
        now, quota, outcome = self.now, self.key.quota, self.outcome
        rtt_s = now - sent_at
        weight = 1.0 / (outcome.requests + 1)
        outcome.rtt_s += (rtt_s - self._mutant.late_release_s - outcome.rtt_s) * weight
        outcome.theta_s += (quota.evidence.theta_s - outcome.theta_s) * weight
        if quota.evidence.learns:
            made_at = self.random.uniform(sent_at, now)
            quota.learn(sent_at=sent_at, now=now, rtt_s=rtt_s, date_s=self._date_s(made_at), path="eu/4")
        if not self._mutant.charges_at_send:
            self.key.charge(now - self._mutant.theta_more_s)

    def _date_s(self, made_at: float) -> int:
        """Return what the server's clock shows, in whole seconds."""
        return math.floor(made_at - self._zero_at)

    def _at(self, moment: float, what: int, sent_at: float) -> None:
        self._order += 1
        heapq.heappush(self._events, (moment, self._order, what, sent_at))
