"""Permits that are out: who holds them, and what becomes of those that nobody speaks of any more.

    granted ──answered──▶ counted                    (the caller charges the key)
       │ ├───not sent───▶ given back
       │ └───unknown, its connection gone, hold limit──▶ lingering ──LINGER_S──▶ counted
A lingering permit keeps its slot: the server may still come to count the request. A late answer ends
the lingering early. Invariant: permits granted = given back + counted + held + lingering.
"""

import math

from supervisor.limiter.key import Key
from supervisor.limiter.past import LINGER_S

HOLD_LIMIT_S = 60.0
HOLD_MARGIN_S = 30.0
"""A permit may be held for the API's timeout and this long, but never less than HOLD_LIMIT_S."""

NOBODY, EARLIER_WORKER = -1, "(earlier)"
"""Connection and worker of permits that a process before this one granted: whose, the journal does not say."""

UNKNOWN_STATUS, NOT_SENT_STATUS = -1, -2
"""Marks in `Key.statuses` beside HTTP statuses."""


class Permit:
    """One permit that is out. connection: 0 = the supervisor's own token request.

    is_probe: it looks whether a host is up again (`hosts.py`).
    """

    __slots__ = (
        "connection",
        "generation",
        "granted_at",
        "held_until",
        "id",
        "is_probe",
        "key",
        "lingers_until",
        "priority",
        "worker",
    )

    def __init__(self, number: int, key: Key, connection: int, worker: str, priority: int, now: float) -> None:
        self.id = number
        self.key = key
        self.connection = connection
        self.worker = worker
        self.priority = priority
        self.granted_at = now
        self.generation = key.generation
        hold_s = key.api.timeout_s + HOLD_MARGIN_S
        self.held_until = now + (hold_s if hold_s > HOLD_LIMIT_S else HOLD_LIMIT_S)
        self.lingers_until = math.inf
        self.is_probe = False


class Permits:
    """All permits that are out, each held or lingering, in the order of their grants."""

    def __init__(self) -> None:
        self._last = 0
        self._held: dict[int, Permit] = {}
        self._lingering: dict[int, Permit] = {}
        # Lower bounds: when the oldest held permit exceeds its hold limit, the oldest lingering one ends.
        self._look_at = math.inf
        self._ends_at = math.inf

    def __len__(self) -> int:
        return len(self._held) + len(self._lingering)

    def grant(self, key: Key, connection: int, worker: str, priority: int, now: float) -> Permit:
        """Take a request of `key` into flight and return its permit."""
        self._last += 1
        permit = self._held[self._last] = Permit(self._last, key, connection, worker, priority, now)
        key.grant(priority, now)
        if permit.held_until < self._look_at:
            self._look_at = permit.held_until
        return permit

    def take_back(self, number: int, connection: int) -> Permit | None:
        """Return the permit and forget it; None when it is not out or not that connection's."""
        place = self._held if number in self._held else self._lingering
        permit = place.get(number)
        if permit is None or permit.connection != connection:
            return None
        del place[number]
        return permit

    def is_lie(self, number: int, connection: int) -> bool:
        """Tell whether `connection` cannot ever have held the permit: nobody has had it yet, or another one has it now.

        One that was out and is not any more is no lie: an answer may come after the hold limit.
        """
        permit = self._held.get(number) or self._lingering.get(number)
        return not 0 < number <= self._last or (permit is not None and permit.connection not in (connection, NOBODY))

    def linger(self, permit: Permit, now: float) -> None:
        """Keep the slot of a permit of unknown fate until the server cannot count it any more."""
        self._held.pop(permit.id, None)
        permit.lingers_until = now + LINGER_S
        self._ends_at = min(self._ends_at, permit.lingers_until)
        self._lingering[permit.id] = permit

    def adopt(self, key: Key, requests: int, now: float) -> None:
        """Let requests linger that a process before this one had in flight, and that are in flight at `key`."""
        for _ in range(requests):
            self._last += 1
            self.linger(Permit(self._last, key, NOBODY, EARLIER_WORKER, 0, now), now)

    def held_by(self, connection: int) -> list[Permit]:
        """Return the permits that `connection` holds."""
        return [permit for permit in self._held.values() if permit.connection == connection]

    def overdue(self, now: float) -> list[Permit]:
        """Return the permits held longer than they may be."""
        if now < self._look_at:
            return []
        found = []
        self._look_at = math.inf
        for permit in self._held.values():
            if permit.held_until > now:
                # Later ones may be due a little earlier (another API's timeout): late is the safe side.
                self._look_at = permit.held_until
                break
            found.append(permit)
        return found

    def ended(self, now: float) -> list[Permit]:
        """Return and forget the permits whose lingering is over; they must be counted now."""
        if now < self._ends_at:
            return []
        found = []
        self._ends_at = math.inf
        for permit in self._lingering.values():
            if permit.lingers_until > now:
                self._ends_at = permit.lingers_until
                break
            found.append(permit)
        for permit in found:
            del self._lingering[permit.id]
        return found

    def next_at(self) -> float:
        """Return when `overdue` or `ended` has something to say at the earliest."""
        return self._look_at if self._look_at < self._ends_at else self._ends_at
