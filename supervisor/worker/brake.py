"""Stop asking for what we cannot read.

When more than MAX_BAD_SHARE of an endpoint's last bodies did not parse (a patch changed its shape),
every further request is waste: the endpoint is braked and only probed once in PROBE_EVERY_S. The
first probe that parses releases the brake.
"""

from collections import deque

from supervisor.core.clock import Clock
from supervisor.core.events import Events

LOOK_BACK = 100
MIN_BODIES = 20
MAX_BAD_SHARE = 0.05
PROBE_EVERY_S = 60.0


class Brake:
    """The brake of one endpoint."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bodies: deque[bool] = deque(maxlen=LOOK_BACK)
        self._next_probe_at: float | None = None

    @property
    def is_engaged(self) -> bool:
        """Tell whether the endpoint is only probed."""
        return self._next_probe_at is not None

    def is_on(self) -> bool:
        """Tell whether the endpoint must be left alone now; answers False once a minute: that is the probe."""
        if self._next_probe_at is None:
            return False
        now = self._clock.monotonic()
        if now < self._next_probe_at:
            return True
        self._next_probe_at = now + PROBE_EVERY_S
        return False

    def parsed(self, ok: bool) -> None:
        """Take note of one body."""
        if ok and self._next_probe_at is not None:
            self._next_probe_at = None
            self._bodies.clear()
        self._bodies.append(ok)
        if self._next_probe_at is None and self._too_many_bad():
            self._next_probe_at = self._clock.monotonic() + PROBE_EVERY_S

    def _too_many_bad(self) -> bool:
        bodies = len(self._bodies)
        return bodies >= MIN_BODIES and self._bodies.count(False) > MAX_BAD_SHARE * bodies


class Brakes:
    """The brakes of one replica, by endpoint."""

    def __init__(self, clock: Clock, events: Events) -> None:
        self._clock = clock
        self._events = events
        self._brakes: dict[str, Brake] = {}

    def is_on(self, endpoint: str) -> bool:
        """Tell whether `endpoint` must be left alone now."""
        brake = self._brakes.get(endpoint)
        return brake is not None and brake.is_on()

    def parsed(self, endpoint: str, ok: bool) -> None:
        """Take note of one body of `endpoint`."""
        brake = self._brakes.get(endpoint)
        if brake is None:
            brake = self._brakes[endpoint] = Brake(self._clock)
        was_on = brake.is_engaged
        brake.parsed(ok)
        if brake.is_engaged and not was_on:
            self._events.emit("endpoint_braked", endpoint=endpoint, probe_every_s=PROBE_EVERY_S, level="warning")
        if was_on and not brake.is_engaged:
            self._events.emit("endpoint_released", endpoint=endpoint)
