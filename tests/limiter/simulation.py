"""A discrete-event simulation: the limiter, replicas, a network with delays, and a strict server.

The server counts on arrival, in a sliding log per window: it refuses (429) iff more than N counted
arrivals lie in a half-open window. It shares no code with the limiter. Delays as in the
specification: base round trip 40 ms, split at random; exponential jitter; lognormal server time after
the count; lost packets; stalls of 1 s. Time is virtual.
"""

import heapq
import itertools
import math
from bisect import bisect_right
from collections.abc import Callable
from random import Random

from supervisor.core.messages import ANSWERED, UNKNOWN, Acquire, Grant, Refuse, Release
from tests.limiter.support import Bench


class StrictServer:
    """Counts arrivals; windows: [(requests, seconds)]. arrivals: moments of the counted ones, per key."""

    def __init__(self, windows: list[tuple[int, float]]) -> None:
        self._windows = windows
        self.arrivals: dict[str, list[float]] = {}
        self.refused = 0

    def count(self, key: str, now: float) -> bool:
        log = self.arrivals.setdefault(key, [])
        for requests, per_s in self._windows:
            if len(log) >= requests and log[-requests] > now - per_s:
                self.refused += 1
                return False
        log.append(now)
        return True

    def peak(self, key: str, per_s: float) -> int:
        """Return the most arrivals in any window (t - per_s, t]."""
        log = self.arrivals.get(key, [])
        return max((n + 1 - bisect_right(log, at - per_s) for n, at in enumerate(log)), default=0)


class Network:
    """Delays of one path. jitter_s: mean of the exponential part."""

    def __init__(
        self, random: Random, *, jitter_s: float, server_s: float = 0.015, stall_every_s: float = 300.0
    ) -> None:
        self._random = random
        up_share, jitter_up = random.uniform(0.3, 0.7), random.random()
        self._base = (0.04 * up_share, 0.04 * (1 - up_share))
        self._jitter = (jitter_s * jitter_up, jitter_s * (1 - jitter_up))
        self._server_s = server_s
        self._stall_every_s = stall_every_s
        self._stall = [(math.inf, math.inf)] * 3
        self._next_stall = random.expovariate(1 / stall_every_s)
        self._last = [0.0, 0.0]

    def delay(self, way: int, at: float) -> float:
        """Return the seconds from `at` to the other end; way 0 = up, 1 = down."""
        delay = self._base[way] + self._random.expovariate(1 / max(1e-9, self._jitter[way]))
        if self._random.random() < 0.00025:
            delay += 1.0
        return delay + self._stalled(way, at)

    def server_time(self, at: float) -> float:
        return self._random.lognormvariate(math.log(self._server_s), 0.8) + self._stalled(2, at)

    def _stalled(self, part: int, at: float) -> float:
        """A part of the path stands still for 1 s now and then: everything in it leaves at the end."""
        while at >= self._next_stall:
            which = self._random.randrange(3)
            self._stall[which] = (self._next_stall, self._next_stall + 1.0)
            self._next_stall += self._random.expovariate(1 / self._stall_every_s)
        begin, end = self._stall[part]
        return max(0.0, end - at) if begin <= at else 0.0


class Simulation:
    """Runs events in order of time. on_grant, if set, is told (ask, moment); asks are unique."""

    def __init__(self, bench: Bench, server: StrictServer, network: Network, random: Random) -> None:
        self.bench = bench
        self.server = server
        self.network = network
        self.random = random
        self.granted_at: dict[int, float] = {}
        self.answered: list[float] = []
        self.refusals: list[str] = []
        self.on_answer: Callable[[int, int], None] = lambda connection, ask: None
        self.timeout_s = math.inf
        self._asks = itertools.count(1)
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def connect(self, worker: str) -> int:
        number = 0

        def send(message: Grant | Refuse) -> None:
            if isinstance(message, Refuse):
                self.refusals.append(message.why)
            else:
                self._send(number, message)

        number = self.bench.limiter.connect(worker, worker, send)
        return number

    def ask(self, connection: int, *, priority: int, wait_s: float = 1e9) -> int:
        ask = next(self._asks)
        now = self.bench.now
        self.bench.limiter.acquire(connection, Acquire(ask, False, priority, now + wait_s), now)
        return ask

    def at(self, moment: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), event))

    def run(self, *, until: float = math.inf, answers: float = math.inf) -> None:
        bench, limiter, events = self.bench, self.bench.limiter, self._events
        while len(self.answered) < answers:
            tick_at = limiter.next_at()
            if events and events[0][0] <= tick_at:
                if events[0][0] > until:
                    break
                bench.now, _, event = heapq.heappop(events)
                event()
            else:
                if tick_at > until:
                    break
                bench.now = tick_at
                limiter.tick(tick_at)

    def _send(self, connection: int, grant: Grant) -> None:
        now = self.bench.now
        self.granted_at[grant.ask] = now
        sent = now + self.random.uniform(0.0, 0.002)
        arrival = sent + self.network.delay(0, sent)
        self.at(arrival, lambda: self._arrive(connection, grant, sent))

    def _arrive(self, connection: int, grant: Grant, sent: float) -> None:
        arrival = self.bench.now
        status = 200 if self.server.count(grant.key, arrival) else 429
        done = arrival + self.network.server_time(arrival)
        back = done + self.network.delay(1, done)
        message = Release(grant.permit, ANSWERED, status, back - sent)
        if back - sent > self.timeout_s:
            back = max(arrival, sent + self.timeout_s)
            message = Release(grant.permit, UNKNOWN)
        self.at(back, lambda: self._release(connection, grant, message))

    def _release(self, connection: int, grant: Grant, message: Release) -> None:
        self.bench.limiter.release(connection, message, self.bench.now)
        self.answered.append(message.rtt_s)
        self.on_answer(connection, grant.ask)


def saturate(bench: Bench, server: StrictServer, network: Network, random: Random, *, answers: int) -> Simulation:
    """Run an endless backlog of urgent requests (no pacing) until so many answers have come."""
    simulation = Simulation(bench, server, network, random)
    connections = [simulation.connect("characters") for _ in range(5)]

    def again(connection: int, ask: int) -> None:
        simulation.ask(connection, priority=0)

    simulation.on_answer = again
    for n in range(400):
        simulation.ask(connections[n % 5], priority=0)
    simulation.run(answers=answers)
    return simulation
