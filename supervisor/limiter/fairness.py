"""Who waits, and whose turn it is.

    worker ── lanes by (priority, requests before starts, region) ── who comes again ── connections in turn, FIFO

Between workers that want the same key, `turns.py` decides.
"""

from collections.abc import Callable, Iterator

from supervisor.core.histogram import Histogram
from supervisor.core.job import Priority
from supervisor.core.messages.replica_supervisor import Grant, Refuse
from supervisor.limiter.candidates import Candidates
from supervisor.limiter.feedback import State
from supervisor.limiter.key import Key

WAIT_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
HELD_S = 0.01
"""A permit that took this long was waited for: an idle key answers within a millisecond or two."""
HELD_SHARE = 0.2
"""Below this share of waited-for permits it is chance: bursts meet, and a slot more would still do more."""
HELD_STEP = 0.02
"""The share is that of the last 50 permits or so."""
MAX_LANES = 100
"""Above this, empty lanes are dropped when a new one is made: regions are texts that replicas send."""


class Connection:
    """One replica. takes_starts: False while it drains. waiting: its waiters by ask. turned_away: BUSY in a row."""

    __slots__ = ("flow", "number", "replica", "send", "takes_starts", "turned_away", "waiting")

    def __init__(self, number: int, replica: str, flow: "Flow", send: Callable[[Grant | Refuse], None]) -> None:
        self.number = number
        self.replica = replica
        self.flow = flow
        self.send = send
        self.takes_starts = True
        self.turned_away = 0
        self.waiting: dict[int, Waiter] = {}


class Waiter:
    """One wait for a permit. since, deadline: monotonic seconds. is_over: granted, refused or cancelled."""

    __slots__ = ("ask", "connection", "deadline", "is_over", "lane", "since")

    def __init__(self, connection: Connection, ask: int, lane: "Lane", since: float, deadline: float) -> None:
        self.connection = connection
        self.ask = ask
        self.lane = lane
        self.since = since
        self.deadline = deadline
        self.is_over = False


class Lane:
    """Waiters that are alike: same worker, same keys, same priority; connections take turns."""

    __slots__ = ("_queues", "_returned", "candidates", "flow", "is_starts", "priority", "region", "size")

    def __init__(self, flow: "Flow", priority: int, region: str, *, is_starts: bool) -> None:
        self.flow = flow
        self.priority = priority
        self.region = region
        self.is_starts = is_starts
        self.candidates = Candidates()
        self.size = 0
        # Connection → its waiters by ask; both in order of arrival. Plain dicts: removal is O(1).
        self._queues: dict[Connection, dict[int, Waiter]] = {}
        # In order of their return, before all queues: they have waited for their turn once.
        self._returned: dict[Waiter, None] = {}

    def add_returned(self, waiter: Waiter) -> None:
        """Put a waiter whose request was refused with its permit before those that have had none."""
        self._returned[waiter] = None
        self.size += 1

    def add(self, waiter: Waiter) -> None:
        """Put a waiter at the end of its connection's queue."""
        self._queues.setdefault(waiter.connection, {})[waiter.ask] = waiter
        self.size += 1

    def remove(self, waiter: Waiter) -> None:
        """Take a waiter out, wherever it stands."""
        self.size -= 1
        if waiter in self._returned:
            del self._returned[waiter]
            return
        queue = self._queues[waiter.connection]
        del queue[waiter.ask]
        if not queue:
            del self._queues[waiter.connection]

    def next(self) -> Waiter:
        """Take out the waiter whose turn it is; its connection goes to the end. Needs size > 0."""
        if self._returned:
            returned = next(iter(self._returned))
            self.remove(returned)
            return returned
        connection, queue = next(iter(self._queues.items()))
        ask = next(iter(queue))
        waiter = queue.pop(ask)
        self.size -= 1
        del self._queues[connection]
        if queue:
            self._queues[connection] = queue
        return waiter

    def waited(self, seconds: float) -> None:
        """Take note of how long a granted permit was waited for."""
        flow = self.flow
        flow.waits.observe(seconds)
        if not self.is_starts:
            flow.request_waits.observe(seconds)
        elif flow.is_keyless or sum(flow.claimable) <= 1:
            return  # it was a job that was waited for
        flow.held_share += HELD_STEP * ((seconds >= HELD_S) - flow.held_share)

    @property
    def is_keyless(self) -> bool:
        """Tell whether who waits here needs no key."""
        return self.is_starts and self.flow.is_keyless

    @property
    def is_hopeless(self) -> bool:
        """Tell whether every key that could serve is quarantined. Needs candidates."""
        # Mostly the first key decides; a generator over all of them costs as much as the rest of the question.
        keys = self.candidates.keys
        return _is_quarantined(keys[0]) and all(map(_is_quarantined, keys))

    def is_held(self, now: float) -> bool:
        """Tell whether requests of started jobs must not go because their host is down; starts just wait."""
        if self.is_starts or not self.candidates.keys:
            return False
        hosts = self.candidates.keys[0].hosts
        return hosts.has_trouble and not hosts.lets(self.region, now)

    def waiters(self) -> list[Waiter]:
        """Return all waiters."""
        return [*self._returned, *(waiter for queue in self._queues.values() for waiter in queue.values())]


class Flow:
    """All waiters of one worker.

    claimable: jobs that wait in the database, [urgent, normal, background]; each start takes one.
    is_paused: no start is granted. is_keyless: its jobs send no request, so its starts need no key. waiting: waiters
    in all lanes. waits: how long granted permits were waited for; request_waits: the same without starts, which also
    wait for a job to come. held_share: of the latest permits, those that a key let wait. round_trips: from send to
    headers.
    """

    __slots__ = (
        "_requests", "claimable", "held_share", "is_keyless", "is_paused", "request_waits", "round_trips", "starts",
        "waiting", "waits", "weight", "worker",
    )  # fmt: skip  # a list of words

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.weight = 1.0
        self.claimable = [0, 0, 0]
        self.is_paused = False
        self.is_keyless = False
        self.waiting = 0
        self.held_share = 0.0
        self.waits = Histogram(WAIT_BOUNDS_S)
        self.request_waits = Histogram(())
        self.round_trips = Histogram(WAIT_BOUNDS_S)
        self.starts = Lane(self, Priority.BACKGROUND, "", is_starts=True)
        self._requests: dict[tuple[int, str], Lane] = {}

    def request_lane(self, priority: int, region: str) -> Lane:
        """Return the lane for requests of started jobs; made when there is none yet."""
        lane = self._requests.get((priority, region))
        if lane is None:
            if len(self._requests) >= MAX_LANES:
                self._requests = {place: lane for place, lane in self._requests.items() if lane.size}
            lane = self._requests[priority, region] = Lane(self, priority, region, is_starts=False)
            self._requests = dict(sorted(self._requests.items()))
        return lane

    def start_priority(self) -> int | None:
        """Return the priority of the best claimable job; None when no job may start."""
        if self.is_paused:
            return None
        for priority, jobs in enumerate(self.claimable):
            if jobs > 0:
                return priority
        return None

    def _start(self) -> int | None:
        """Return the priority of the next start that needs a key; None when there is none."""
        return self.start_priority() if self.starts.size and not self.is_keyless else None

    def started(self, priority: int) -> None:
        """Take note of a start granted for the best claimable job."""
        self.claimable[priority] -= 1

    def lanes(self) -> list[Lane]:
        """Return all lanes."""
        return [*self._requests.values(), self.starts]

    def wanting(self) -> Iterator[tuple[int, Lane]]:
        """Yield (priority, lane) with somebody in it that may be served, in the order of service."""
        start = self._start()
        for lane in self._requests.values():
            if start is not None and lane.priority > start:
                yield start, self.starts
                start = None
            if lane.size:
                yield lane.priority, lane
        if start is not None:
            yield start, self.starts

    def first(self, key: Key, level: int, held_back: set[int]) -> tuple[int, Lane] | None:
        """Return the first of `wanting` that `key` may serve up to `level`; add to `held_back` what is beyond it."""
        start = self._start()
        for lane in self._requests.values():
            if start is not None and lane.priority > start:
                break
            if lane.size and key in lane.candidates.members:
                if lane.priority <= level:
                    return lane.priority, lane
                held_back.add(lane.priority)
        if start is None or key not in self.starts.candidates.members:
            return None
        if start <= level:
            return start, self.starts
        held_back.add(start)
        return None


def _is_quarantined(key: Key) -> bool:
    return key.standing.state is State.QUARANTINED
