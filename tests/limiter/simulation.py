"""A discrete-event simulation: the limiter, replicas, a network with delays, and a strict server.

The server counts on arrival, in a sliding log per window: it refuses (429) iff more than N counted
arrivals lie in a half-open window. Its log is the simulated API's, which shares no code with the limiter.
Delays as in `network.py`. Time is virtual.
"""

import heapq
import itertools
import math
from bisect import bisect_right
from collections.abc import Callable
from random import Random

from jobs.simulator.limits import SlidingLog
from supervisor.core.messages.replica_supervisor import ANSWERED, UNKNOWN, Acquire, Grant, Refuse, Release
from tests.limiter.network import DOWN, UP, Network
from tests.limiter.support import Bench


class StrictServer:
    """Counts arrivals in a sliding log for each window; windows: [(requests, seconds)].

    arrivals: moments of the counted ones, per key.
    """

    def __init__(self, windows: list[tuple[int, float]]) -> None:
        self._windows = windows
        self._logs: dict[str, list[SlidingLog]] = {}
        self.arrivals: dict[str, list[float]] = {}
        self.refused = 0

    def count(self, key: str, now: float) -> bool:
        logs = self._logs.setdefault(key, [SlidingLog(requests, per_s) for requests, per_s in self._windows])
        if not all(log.has_room(now) for log in logs):
            self.refused += 1
            return False
        for log in logs:
            log.count(now)
        self.arrivals.setdefault(key, []).append(now)
        return True

    def peak(self, key: str, per_s: float) -> int:
        """Return the most arrivals in any window (t - per_s, t]."""
        log = self.arrivals.get(key, [])
        return max((n + 1 - bisect_right(log, at - per_s) for n, at in enumerate(log)), default=0)


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
        arrival = sent + self.network.delay(UP, sent)
        self.at(arrival, lambda: self._arrive(connection, grant, sent))

    def _arrive(self, connection: int, grant: Grant, sent: float) -> None:
        arrival = self.bench.now
        status = 200 if self.server.count(grant.key, arrival) else 429
        done = arrival + self.network.server_time(arrival)
        back = done + self.network.delay(DOWN, done)
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
