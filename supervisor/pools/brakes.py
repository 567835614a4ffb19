"""Stop asking for what we cannot read, with all replicas of a worker at once.

When more than MAX_BAD_SHARE of an endpoint's last bodies did not parse (a patch changed its shape), every further
request is waste: the endpoint is braked, and once in PROBE_EVERY_S one replica may send one request. The first body
that parses releases the brake. Replicas tell what they read in their tallies; one that is at work then gets the probe.

Decisions only: time is an argument, the pool tells its replicas.
"""

from collections import deque
from dataclasses import dataclass

from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Tally

LOOK_BACK = 100
MIN_BODIES = 20
MAX_BAD_SHARE = 0.05
PROBE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeStatistics:
    """One braked endpoint. for_s: since when. next_probe_in_s: 0 = as soon as somebody is at work."""

    endpoint: str
    for_s: float
    next_probe_in_s: float


class Brake:
    """The brake of one endpoint. since, next_probe_at: monotonic seconds; since is None while it is off.

    prober: who has the last probe and has not said what came of it; "" = nobody.
    """

    __slots__ = ("_bodies", "next_probe_at", "prober", "since")

    def __init__(self) -> None:
        self._bodies: deque[bool] = deque(maxlen=LOOK_BACK)
        self.since: float | None = None
        self.next_probe_at = 0.0
        self.prober = ""

    def note(self, parsed: int, unparsed: int, now: float) -> None:
        """Take note of bodies. While it is on only probes are sent, so one good body among no bad ones releases it."""
        if self.since is not None:
            self.prober = ""
            if parsed and not unparsed:
                self.since = None
                self._bodies.clear()
            return
        self._bodies.extend([True] * min(parsed, LOOK_BACK))
        self._bodies.extend([False] * min(unparsed, LOOK_BACK))
        bodies = len(self._bodies)
        if bodies >= MIN_BODIES and self._bodies.count(False) > MAX_BAD_SHARE * bodies:
            self.since = now
            self.next_probe_at = now + PROBE_EVERY_S


class Brakes:
    """The brakes of one worker, by endpoint."""

    def __init__(self, worker: str, events: Events) -> None:
        self._worker = worker
        self._events = events
        self._brakes: dict[str, Brake] = {}

    def engaged(self) -> list[str]:
        """Return the endpoints that are only probed."""
        return [endpoint for endpoint, brake in self._brakes.items() if brake.since is not None]

    def add(self, tally: Tally, now: float) -> bool:
        """Take note of what a replica has read; tell whether a brake went on or off."""
        before = self.engaged()
        for endpoint in tally.parsed.keys() | tally.unparsed.keys():
            brake = self._brakes.setdefault(endpoint, Brake())
            brake.note(tally.parsed.get(endpoint, 0), tally.unparsed.get(endpoint, 0), now)
        after = self.engaged()
        for endpoint in after:
            if endpoint not in before:
                self._emit("endpoint_braked", endpoint, level="warning", probe_every_s=PROBE_EVERY_S)
        for endpoint in before:
            if endpoint not in after:
                self._emit("endpoint_released", endpoint)
        return before != after

    def take_probes(self, replica: str, now: float) -> list[str]:
        """Return the endpoints of which `replica` may send one request; the next one is a while away.

        Not twice to one that has not used the last: its jobs may be such that never come so far.
        """
        probes = []
        for endpoint, brake in self._brakes.items():
            if brake.since is not None and now >= brake.next_probe_at and brake.prober != replica:
                brake.next_probe_at = now + PROBE_EVERY_S
                brake.prober = replica
                probes.append(endpoint)
        return probes

    def forget(self) -> None:
        """Release everything: there is new code, which may be able to read what the old was not."""
        for endpoint in self.engaged():
            self._emit("endpoint_released", endpoint)
        self._brakes.clear()

    def statistics(self, now: float) -> tuple[BrakeStatistics, ...]:
        """Return what is braked."""
        return tuple(
            BrakeStatistics(
                endpoint=endpoint, for_s=now - brake.since, next_probe_in_s=max(0.0, brake.next_probe_at - now)
            )
            for endpoint, brake in self._brakes.items()
            if brake.since is not None
        )

    def _emit(self, event: str, endpoint: str, **fields: object) -> None:
        self._events.emit(event, worker=self._worker, endpoint=endpoint, **fields)
