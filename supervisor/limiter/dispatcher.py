"""Bring waiters and keys together.

Whatever waits after `pump(now)` cannot be granted before `next_free`, unless something is given back,
answered or configured meanwhile; each such event pumps again. So nothing is polled, and a newcomer
whose lane is empty may go at once without overtaking anybody who could have gone.
"""

import math
from collections.abc import Callable
from heapq import heapify, heappop, heapreplace

import msgspec

from supervisor.core.job import Priority
from supervisor.core.messages.replica_supervisor import NO_PERMIT, TIMEOUT_WAITING, Acquire, Grant, Refuse
from supervisor.limiter.candidates import rank
from supervisor.limiter.deadlines import Deadlines
from supervisor.limiter.fairness import Connection, Flow, Lane, Waiter
from supervisor.limiter.hosts import Hosts
from supervisor.limiter.key import Key
from supervisor.limiter.keyring import KeyRing
from supervisor.limiter.permit import Permit, Permits
from supervisor.limiter.quota import NOTHING

TOKEN_WORKER = "(token)"
"""Stands for the worker in the counts of token requests."""


class Dispatcher:
    """Waiting permits and the one loop that grants them.

    waiting: waiters in all lanes. late_answer: what a waiter gets at its deadline.
    next_free: moment before which no waiter can go by time alone.
    """

    def __init__(self, ring: KeyRing, permits: Permits) -> None:
        self._ring = ring
        self._permits = permits
        self._deadlines = Deadlines()
        self._token_permits: dict[Key, Callable[[Permit], None]] = {}
        self.flows: dict[str, Flow] = {}
        self.waiting = 0
        self.late_answer = TIMEOUT_WAITING
        self.next_free = math.inf

    def flow(self, worker: str) -> Flow:
        """Return the worker's flow; made when it is new."""
        flow = self.flows.get(worker)
        if flow is None:
            flow = self.flows[worker] = Flow(worker)
            flow.starts.candidates = self._ring.candidates(worker, "")
        return flow

    def request_lane(self, flow: Flow, priority: int, region: str) -> Lane:
        """Return the lane of requests of `priority` for `region`."""
        lane = flow.request_lane(priority, region)
        if not lane.candidates.keys:
            lane.candidates = self._ring.candidates(flow.worker, region)
        return lane

    def next_at(self) -> float:
        """Return when `pump` has something to do at the earliest."""
        if not self.waiting:
            return self.next_free
        return min(self.next_free, self._deadlines.next_at())

    def ask(
        self, lane: Lane, priority: int | None, connection: Connection, message: Acquire, deadline: float, now: float
    ) -> None:
        """Grant now or let wait. priority: None = a start for which there is no job now."""
        if lane.size == 0 and priority is not None and now < self.next_free:
            key = lane.candidates.choose(priority, now)
            if key is not None:
                lane.waited(0.0)
                self._grant(key, lane, priority, connection, message.ask, now)
                return
            for key in lane.candidates.keys:
                self._watch(key, key.frees_at(priority, now))
        waiter = Waiter(connection, message.ask, lane, now, deadline)
        if message.again:
            lane.add_returned(waiter)
        else:
            lane.add(waiter)
        lane.flow.waiting += 1
        connection.waiting[message.ask] = waiter
        self.waiting += 1
        self._deadlines.add(waiter, self.waiting)
        if now >= self.next_free:
            self.pump(now)

    def start_keyless(self, flow: Flow, now: float) -> None:
        """Let the worker's starts go without a key, as far as there are jobs for them."""
        starts = flow.starts
        while starts.size and (priority := flow.start_priority()) is not None:
            waiter = starts.next()
            self._over(waiter)
            starts.waited(now - waiter.since)
            flow.started(priority)
            waiter.connection.send(Grant(waiter.ask, NO_PERMIT, ""))

    def want_token(self, key: Key, granted: Callable[[Permit], None], now: float) -> None:
        """Call `granted` with a permit for a token request of `key` as soon as there is room."""
        self._token_permits[key] = granted
        key.token_wanted = True
        self.pump(now)

    def stop_wanting_token(self, key: Key) -> None:
        """Forget the wish for a token permit; safe when it has been granted."""
        self._token_permits.pop(key, None)
        key.token_wanted = False

    def remove(self, waiter: Waiter) -> None:
        """Take a waiter out without an answer."""
        waiter.lane.remove(waiter)
        self._over(waiter)

    def refuse(self, waiter: Waiter, why: str) -> None:
        """Take a waiter out and tell it why."""
        self.remove(waiter)
        waiter.connection.send(Refuse(waiter.ask, why))

    def pump(self, now: float) -> None:
        """Refuse whose deadline has passed, then grant everything that can be granted at `now`."""
        for waiter in self._deadlines.passed(now):
            self.refuse(waiter, self.late_answer)
        self.next_free = math.inf
        if not self.waiting and not self._token_permits:
            return
        heap = [rank(key, place, now) for place, key in enumerate(self._ring.keys) if self._may_serve(key, now)]
        heapify(heap)
        while heap:
            key, place = heap[0][5], heap[0][4]
            if self._serve(key, now):
                heapreplace(heap, rank(key, place, now))
            else:
                heappop(heap)

    def _may_serve(self, key: Key, now: float) -> bool:
        """Sort out, at the price of one comparison, the keys of which time alone is awaited."""
        if now >= key.closed_until or key.token_wanted:
            return True
        self._watch(key, key.closed_until)
        return False

    def _serve(self, key: Key, now: float) -> bool:
        """Grant one permit of `key` to whose turn it is. False = nobody who waits can have one now."""
        if key.token_wanted and self._serve_token(key, now):
            return True
        level = key.level(now)
        if level == NOTHING:
            self._watch(key, key.frees_at(0, now))
            return False
        lane, priority, held_back = self._next_lane(key, level)
        if lane is None:
            for priority in held_back:
                self._watch(key, key.frees_at(priority, now))
            return False
        waiter = lane.next()
        self._over(waiter)
        lane.waited(now - waiter.since)
        self._grant(key, lane, priority, waiter.connection, waiter.ask, now)
        return True

    def _next_lane(self, key: Key, level: int) -> tuple[Lane | None, int, set[int]]:
        """Return the lane whose turn it is at `key`, its priority, and the priorities beyond `level`."""
        best: Lane | None = None
        best_priority = 0
        best_place = math.inf
        held_back: set[int] = set()
        for flow in self.flows.values():
            if not flow.waiting:
                continue
            found = flow.first(key, level, held_back)
            if found is not None:
                place = key.turns.place(flow.worker)
                if place < best_place:
                    best_priority, best = found
                    best_place = place
        return best, best_priority, held_back

    def _serve_token(self, key: Key, now: float) -> bool:
        if not key.can_obtain(now):
            self._watch(key, key.obtains_at(now))
            return False
        granted = self._token_permits.pop(key)
        key.token_wanted = False
        granted(self._permits.grant(key, 0, TOKEN_WORKER, Priority.URGENT, now))
        return True

    def _grant(self, key: Key, lane: Lane, priority: int, connection: Connection, ask: int, now: float) -> None:
        flow = lane.flow
        if lane.is_starts:
            flow.started(priority)
        key.turns.served(flow.worker, flow.weight, is_urgent=priority == 0)
        permit = self._permits.grant(key, connection.number, flow.worker, priority, now)
        credential = key.credential
        assert credential is not None  # a key without one has no level
        grant = Grant(ask, permit.id, key.name, credential.headers, credential.query, key.settings.regions)
        connection.send(_in_trouble(grant, permit, key.hosts, lane, now) if key.hosts.has_trouble else grant)

    def _over(self, waiter: Waiter) -> None:
        waiter.is_over = True
        waiter.lane.flow.waiting -= 1
        del waiter.connection.waiting[waiter.ask]
        self.waiting -= 1

    def _watch(self, key: Key, at: float) -> None:
        """Look again at `at`; inf = when the key is answered."""
        if at == math.inf:
            key.is_awaited = True
        elif at < self.next_free:
            self.next_free = at


def _in_trouble(grant: Grant, permit: Permit, hosts: Hosts, lane: Lane, now: float) -> Grant:
    """Return the grant with what its replica must know while a host fails."""
    permit.is_probe = hosts.sent(lane.region, now, is_start=lane.is_starts)
    # The job behind a probing start may be of any region: it is what the probe is for.
    down = hosts.held() if lane.is_starts and not permit.is_probe else ()
    return msgspec.structs.replace(grant, is_probe=permit.is_probe, down_regions=down)
