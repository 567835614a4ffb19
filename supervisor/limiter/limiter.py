"""The limiter without I/O: messages in, grants and refusals out, time as an argument.

`tick(now)` must be called at `next_at()` at the latest; a late call is always safe, only slower.
Answers go to the `send` of the connection that asked, inside the call that made them possible.
"""

from collections.abc import Callable
from random import Random

from supervisor.core.errors import WireError
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import (
    ANSWERED,
    BUSY,
    DRAINING,
    HOST_DOWN,
    NO_KEY,
    NOT_SENT,
    TIMEOUT_WAITING,
    UNKNOWN,
    Acquire,
    Cancel,
    Grant,
    Refuse,
    Release,
)
from supervisor.limiter.dispatcher import Dispatcher
from supervisor.limiter.fairness import Connection, Lane
from supervisor.limiter.judge import Judge
from supervisor.limiter.key import ROTATED
from supervisor.limiter.keyring import KeyRing, OpenRecord
from supervisor.limiter.learning import doubt, learn
from supervisor.limiter.outages import Outages
from supervisor.limiter.permit import NOT_SENT_STATUS, UNKNOWN_STATUS, Permit, Permits
from supervisor.limiter.quota import LEAST_URGENT
from supervisor.limiter.slowness import Slowness
from supervisor.settings.config import Config

MAX_WAITING_PER_CONNECTION = 1000
MAX_TURNED_AWAY = 1000
MAX_WAIT_S = 3600.0
DRAIN_WAIT_S = 2.0
"""While draining a started job may wait this long for a request's permit; an exhausted hour is not waited for."""


class Limiter:
    """All keys, all waiters, all permits that are out."""

    def __init__(self, *, config: Config, events: Events, random: Random, now: float) -> None:
        self.permits = Permits()
        self.ring = KeyRing(self.permits.adopt)
        self.dispatcher = Dispatcher(self.ring, self.permits)
        self.judge = Judge(events=events, random=random)
        self._events = events
        self._slowness = Slowness(events)
        self._outages = Outages(self.ring, self.dispatcher, events)
        self._connections: dict[int, Connection] = {}
        self._last_connection = 0
        self._is_draining = False
        self.configure(config, now)

    def open_records(self, open_record: OpenRecord, now: float) -> None:
        """Count what the journal says was spent before; call before the first credential is set."""
        self.ring.open_records(open_record, now)

    def configure(self, config: Config, now: float) -> None:
        """Take keys, limits, weights and tags over; spent requests stay spent, permits that are out stay valid."""
        changed = self.ring.configure(config, now)
        for worker, settings in config.workers.items():
            flow = self.dispatcher.flow(worker)
            flow.weight, flow.is_keyless = settings.weight, not settings.sends_requests
        for flow in self.dispatcher.flows.values():
            flow.is_paused = flow.worker in config.workers and config.workers[flow.worker].paused
            for lane in flow.lanes():
                lane.candidates = self.ring.candidates(flow.worker, lane.region)
                if not lane.candidates.keys and not lane.is_keyless:
                    self._refuse_all(lane, NO_KEY)
            if flow.is_keyless:
                self.dispatcher.start_keyless(flow, now)
        self._slowness.keep(self.ring.keys)
        for key, why in changed.items():
            if why != ROTATED:
                key.set_credential(None, "not yet obtained")
            self.judge.on_credential_needed(key, why)
        self.dispatcher.pump(now)

    def connect(self, replica: str, worker: str, send: Callable[[Grant | Refuse], None]) -> int:
        """Return the number of a new connection; its answers go to `send`, which must not block or raise."""
        self._last_connection += 1
        number = self._last_connection
        self._connections[number] = Connection(number, replica, self.dispatcher.flow(worker), send)
        return number

    def disconnect(self, number: int, now: float) -> None:
        """Forget a connection: nobody waits there any more, and the fate of its permits is unknown.

        Its requests may still be in the kernel's buffers, so no slot is freed before the linger ends.
        """
        connection = self._connections.pop(number, None)
        if connection is None:
            return
        for waiter in list(connection.waiting.values()):
            self.dispatcher.remove(waiter)
        for permit in self.permits.held_by(number):
            self.permits.linger(permit, now)

    def stop_starts(self, number: int) -> None:
        """Refuse the connection's waiting and future starts; requests of its started jobs go on."""
        connection = self._connections.get(number)
        if connection is None:
            return
        connection.takes_starts = False
        for waiter in list(connection.waiting.values()):
            if waiter.lane.is_starts:
                self.dispatcher.refuse(waiter, DRAINING)

    def acquire(self, number: int, message: Acquire, now: float) -> None:
        """Answer with a Grant now or later, or with a Refuse. Ignored when the connection is gone.

        WireError: it has been told BUSY MAX_TURNED_AWAY times in a row, and asks on.
        """
        connection = self._connections.get(number)
        if connection is None:
            return
        flow = connection.flow
        priority: int | None
        if message.start:
            lane = flow.starts
            priority = None if flow.is_keyless else flow.start_priority()
        else:
            priority = message.priority
            if not 0 <= priority <= LEAST_URGENT:
                priority = min(LEAST_URGENT, max(0, priority))
            lane = self.dispatcher.request_lane(flow, priority, message.region)
        deadline = message.deadline
        if deadline > now + MAX_WAIT_S:
            deadline = now + MAX_WAIT_S
        why = self._objection(connection, lane, message.ask, deadline, now)
        if why:
            connection.turned_away = connection.turned_away + 1 if why == BUSY else 0
            if connection.turned_away > MAX_TURNED_AWAY:
                raise WireError(f"asks for more than {MAX_WAITING_PER_CONNECTION} permits at once, again and again")
            connection.send(Refuse(message.ask, why))
            return
        connection.turned_away = 0
        if self._is_draining:
            deadline = min(deadline, now + DRAIN_WAIT_S)
        self.dispatcher.ask(lane, priority, connection, message, deadline, now)
        if lane.is_keyless:
            self.dispatcher.start_keyless(flow, now)

    def cancel(self, number: int, message: Cancel) -> None:
        """Forget a waiter; nothing happens when it has been answered already."""
        connection = self._connections.get(number)
        waiter = connection.waiting.get(message.ask) if connection is not None else None
        if waiter is not None:
            self.dispatcher.remove(waiter)

    def release(self, number: int, message: Release, now: float) -> None:
        """Take a permit back. Ignored when it is not out any more. WireError: the connection has never held it."""
        permit = self.permits.take_back(message.permit, number)
        if permit is None:
            if number in self._connections and self.permits.is_lie(message.permit, number):
                raise WireError(f"gives back permit {message.permit}, which is not its own")
            return
        if permit.connection:
            self._outages.heard(permit, message, now)
        if message.fate == ANSWERED:
            self._answered(permit, message, now)
        elif message.fate == NOT_SENT:
            permit.key.statuses[permit.worker, NOT_SENT_STATUS] += 1
            permit.key.not_sent(permit.priority)
            self.dispatcher.pump(now)
        else:
            assert message.fate == UNKNOWN, message.fate
            self.permits.linger(permit, now)

    def set_waiting(self, counts: dict[str, list[int]], now: float) -> None:
        """Take over how many jobs are claimable: {worker: [urgent, normal, background]}; absent = none."""
        may_go = False
        for flow in self.dispatcher.flows.values():
            before = flow.start_priority()
            flow.claimable = list(counts.get(flow.worker, (0, 0, 0)))
            if flow.is_keyless:
                self.dispatcher.start_keyless(flow, now)
            else:
                may_go |= flow.starts.size > 0 and flow.start_priority() != before
        for worker in counts.keys() - self.dispatcher.flows.keys():
            self.dispatcher.flow(worker).claimable = list(counts[worker])
        # This comes many times a second, and mostly finds every start waiting for what it waited for before.
        if may_go:
            self.dispatcher.pump(now)

    def set_wall(self, zero_at: float, now: float) -> None:
        """Say where Unix time 0 of this machine's clock lies, in monotonic seconds; for a configured phase."""
        for key in self.ring.keys:
            key.reopen()
            key.quota.wall(zero_at, now)

    def drain(self) -> None:
        """Answer every waiter DRAINING; from now on only started jobs get permits, and only soon."""
        self._is_draining = True
        self.dispatcher.late_answer = DRAINING
        for flow in self.dispatcher.flows.values():
            for lane in flow.lanes():
                self._refuse_all(lane, DRAINING)

    def tick(self, now: float) -> None:
        """Do what time brings: hold limits, ends of lingering, deadlines, windows that free."""
        for permit in self.permits.overdue(now):
            self._events.emit("permit_overdue", key=permit.key.name, worker=permit.worker, permit=permit.id)
            self.permits.linger(permit, now)
        ended = self.permits.ended(now)
        for permit in ended:
            permit.key.statuses[permit.worker, UNKNOWN_STATUS] += 1
            permit.key.charge_unseen(now)
        if ended or now >= self.dispatcher.next_at():
            self.dispatcher.pump(now)

    def next_at(self) -> float:
        """Return the moment at which `tick` must be called, inf = not before something happens."""
        at = self.dispatcher.next_at() if self.dispatcher.waiting else self.dispatcher.next_free
        permits_at = self.permits.next_at()
        return at if at < permits_at else permits_at

    def _answered(self, permit: Permit, message: Release, now: float) -> None:
        key = permit.key
        status = message.status
        used_share = key.used_share if status == 429 else 1.0
        if key.quota.evidence.learns and permit.connection:
            learn(permit, message, self._events, now)
        if status == 429:
            doubt(key, message, self._events, now)
        key.charge(now)
        key.statuses[permit.worker, status] += 1
        if message.remaining >= 0:
            key.quota.count_up(message.allowed, message.remaining, now)
        if permit.connection:
            self.dispatcher.flow(permit.worker).round_trips.observe(message.rtt_s)
            self._slowness.answered(key, message.rtt_s, now)
        if permit.connection and ((status >= 400 and status != 404) or not key.standing.is_plain):
            self.judge.answered(permit, message, used_share, now)
        if key.is_awaited:
            key.is_awaited = False
            self.dispatcher.pump(now)

    def _objection(self, connection: Connection, lane: Lane, ask: int, deadline: float, now: float) -> str:
        """Return why the wait cannot even begin, "" when it can."""
        if lane.is_starts and (self._is_draining or not connection.takes_starts):
            return DRAINING
        if not lane.is_keyless and (not lane.candidates.keys or (not lane.is_starts and lane.is_hopeless)):
            return NO_KEY
        if lane.is_held(now):
            return HOST_DOWN
        if deadline <= now:
            return TIMEOUT_WAITING
        if ask in connection.waiting or len(connection.waiting) >= MAX_WAITING_PER_CONNECTION:
            return BUSY
        return ""

    def _refuse_all(self, lane: Lane, why: str) -> None:
        for waiter in lane.waiters():
            self.dispatcher.refuse(waiter, why)
