"""A Gatherer in virtual time around the real limiter: slots, a queue, an API that takes its time.

    ask ──5 ms──▶ queue ──▶ start permit ──▶ claim ──5 ms──▶ request 1 ──answer──▶ 4 requests at once ──▶ finish
                                 ▲                                                                          │
                                 └──────────────────────────────── next job ────────────────────────────────┘

The API is judged by the simulator's own sliding logs (they share no code with the limiter) and keeps
every arrival, so that peaks can be counted afterwards.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from jobs.simulator.limits import SlidingLog
from supervisor.core.job import Priority
from supervisor.core.messages.replica_supervisor import ANSWERED, Acquire, Grant, Refuse, Release
from supervisor.limiter.limiter import Limiter

WORKER = "characters"
REGION = "eu"
PARALLEL_REQUESTS = 4
# What pools and database add in the real system (measured in the pipeline: a socket's way, a group's commit).
WIRE_S = 0.0005
COMMIT_S = 0.005
BACKLOG = 2000
# As in supervisor/worker: slots.START_WAIT_S and client.PERMIT_WAIT_S.
START_WAIT_S = 60.0
PERMIT_WAIT_S = 300.0


@dataclass(slots=True)
class Job:
    """One refresh. asked_at, ended_at: virtual seconds; ended_at is that of its last answer."""

    priority: int
    asked_at: float
    ended_at: float = math.inf


class Timeline:
    """Events in order of time; the limiter is ticked at each moment that it asks for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), event))

    def run(self, limiter: Limiter, until: float) -> None:
        events = self._events
        while events:
            tick_at = limiter.next_at()
            if tick_at < events[0][0]:
                self.now = max(self.now, tick_at)
                limiter.tick(self.now)
                continue
            if events[0][0] > until:
                return
            self.now, _, event = heapq.heappop(events)
            event()


class Server:
    """The API. arrivals: moments of all requests, by key. refused: 429s. Latency is lognormal, counted on arrival."""

    def __init__(self, timeline: Timeline, random: Random, *, latency_s: float, sigma: float) -> None:
        self._timeline = timeline
        self._random = random
        self._median = math.log(latency_s)
        self._sigma = sigma
        self._logs: dict[str, tuple[SlidingLog, SlidingLog]] = {}
        self.arrivals: dict[str, list[float]] = {}
        self.refused = 0

    def send(self, key: str, answered: Callable[[int, float], None]) -> None:
        """Send one request; `answered(status, round trip)` is called when its headers are back."""
        rtt_s = self._random.lognormvariate(self._median, self._sigma)
        up_s = rtt_s * self._random.random()

        def arrive() -> None:
            status = self._count(key)
            self._timeline.after(rtt_s - up_s, lambda: answered(status, rtt_s))

        self._timeline.after(up_s, arrive)

    def _count(self, key: str) -> int:
        now = self._timeline.now
        self.arrivals.setdefault(key, []).append(now)
        logs = self._logs.setdefault(key, (SlidingLog(100, 1.0), SlidingLog(36_000, 3600.0)))
        if not all(log.has_room(now) for log in logs):
            self.refused += 1
            return 429
        for log in logs:
            log.count(now)
        return 200


class Queue:
    """The database's part: an endless background backlog, and urgent jobs before it."""

    def __init__(self, timeline: Timeline, limiter: Limiter) -> None:
        self._timeline = timeline
        self._limiter = limiter
        self._urgent: deque[Job] = deque()
        self.asked: list[Job] = []
        self.background_done = 0
        self.tell()

    def refresh(self) -> None:
        """A person asks for one urgent refresh now."""
        job = Job(Priority.URGENT, self._timeline.now)
        self.asked.append(job)
        self._timeline.after(COMMIT_S, lambda: self._enqueued(job))

    def claim(self) -> Job:
        """Take the most urgent job."""
        job = self._urgent.popleft() if self._urgent else Job(Priority.BACKGROUND, self._timeline.now)
        self._timeline.after(WIRE_S, self.tell)
        return job

    def tell(self) -> None:
        """Tell the limiter what waits."""
        self._limiter.set_waiting({WORKER: [len(self._urgent), 0, BACKLOG]}, self._timeline.now)

    def _enqueued(self, job: Job) -> None:
        self._urgent.append(job)
        self._timeline.after(WIRE_S, self.tell)


class Replica:
    """One connection at the limiter with its slots."""

    def __init__(self, timeline: Timeline, limiter: Limiter, server: Server, queue: Queue, *, name: str) -> None:
        self.timeline = timeline
        self.queue = queue
        self._limiter = limiter
        self._server = server
        self._asks = itertools.count(1)
        self._waiting: dict[int, Callable[[Grant | Refuse], None]] = {}
        self._number = limiter.connect(name, WORKER, self._receive)

    def ask(self, *, start: bool, priority: int, then: Callable[[Grant | Refuse], None]) -> None:
        """Ask for a permit; `then` gets the answer."""
        ask = next(self._asks)
        self._waiting[ask] = then
        region = "" if start else REGION
        wait_s = START_WAIT_S if start else PERMIT_WAIT_S
        deadline = self.timeline.now + wait_s
        message = Acquire(ask, start, priority, deadline, region)
        self.timeline.after(WIRE_S, lambda: self._limiter.acquire(self._number, message, self.timeline.now))

    def send(self, grant: Grant, answered: Callable[[], None]) -> None:
        """Send one request with a permit and give that back at the answer."""

        def back(status: int, rtt_s: float) -> None:
            release = Release(grant.permit, ANSWERED, status, rtt_s)
            self.timeline.after(WIRE_S, lambda: self._limiter.release(self._number, release, self.timeline.now))
            answered()

        self._server.send(grant.key, back)

    def _receive(self, message: Grant | Refuse) -> None:
        then = self._waiting.pop(message.ask)
        self.timeline.after(WIRE_S, lambda: then(message))


class Slot:
    """One job at a time, for ever."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._left = 0
        self._job = Job(Priority.BACKGROUND, 0.0)

    def start(self) -> None:
        """Wait for a start permit."""
        self._replica.ask(start=True, priority=Priority.BACKGROUND, then=self._started)

    def _started(self, answer: Grant | Refuse) -> None:
        if isinstance(answer, Refuse):
            self.start()
            return
        self._replica.timeline.after(COMMIT_S, lambda: self._claimed(answer))

    def _claimed(self, grant: Grant) -> None:
        self._job = self._replica.queue.claim()
        self._replica.send(grant, self._first_answered)

    def _first_answered(self) -> None:
        self._left = PARALLEL_REQUESTS
        for _ in range(PARALLEL_REQUESTS):
            self._replica.ask(start=False, priority=self._job.priority, then=self._granted)

    def _granted(self, answer: Grant | Refuse) -> None:
        if isinstance(answer, Refuse):
            raise SystemExit(f"a started job was refused a permit: {answer.why}")
        self._replica.send(answer, self._answered)

    def _answered(self) -> None:
        self._left -= 1
        if self._left:
            return
        self._job.ended_at = self._replica.timeline.now
        self._replica.queue.background_done += self._job.priority == Priority.BACKGROUND
        self._replica.timeline.after(COMMIT_S, self.start)
