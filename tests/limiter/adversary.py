"""An adversary at the server: whatever a request's arrival can have been, it was the worst.

The client knows of a request when it was sent, when its answer was seen (or that it gave up), and that no way takes
less than `up_s` and `down_s`. So the server may have counted it

    from  sent + up_s   to   answer - down_s        answered
                        to   given up + LINGER_S    of unknown fate, or its holder or its supervisor ended
                        to   now                    in flight
`excess` says by how much the worst case of these is over the limit, for each kind of server.
"""

import math
from dataclasses import dataclass

from supervisor.limiter.past import LINGER_S
from supervisor.limiter.permit import HOLD_LIMIT_S
from supervisor.settings.config import Window
from tests.limiter.servers import BUCKET, FIXED


@dataclass(eq=False)
class Request:
    """One request. sent_at, until: true seconds; it may be counted until then, inf while it is in flight."""

    sent_at: float
    until: float = math.inf

    def latest(self) -> float:
        # Nobody may send with a permit after its hold limit; the replica's own limit is far below it.
        return min(self.until, self.sent_at + HOLD_LIMIT_S + LINGER_S)


class Adversary:
    """All requests of one key, and a server of one kind. ticks_at: moments of possible ticks, for fixed windows."""

    def __init__(
        self, kind: str, windows: tuple[Window, ...], *, up_s: float = 0.0, down_s: float = 0.0, ticks_at: float = 0.0
    ) -> None:
        self.kind = kind
        self.windows = windows
        self.up_s = up_s
        self.down_s = down_s
        self._ticks_at = ticks_at
        self.requests: list[Request] = []

    def sent(self, now: float) -> Request:
        request = Request(now)
        self.requests.append(request)
        return request

    def answered(self, request: Request, now: float) -> None:
        request.until = now - self.down_s

    def given_up(self, request: Request, now: float) -> None:
        request.until = min(request.until, now + LINGER_S)

    def excess(self, now: float) -> int:
        """Return by how many requests a window may be over its limit, if the last one was sent at `now`; 0 = none."""
        return max(self._excess(window, now) for window in self.windows)

    def _excess(self, window: Window, now: float) -> int:
        arrives_at = now + self.up_s
        is_short = window.per_s <= 60.0
        if is_short and self.kind == BUCKET:
            return self._above_the_brim(window, arrives_at)
        if is_short and self.kind == FIXED:
            return self._after_the_tick(window, arrives_at)
        inside = sum(request.latest() > arrives_at - window.per_s for request in self.requests)
        return max(0, inside - window.requests)

    def _after_the_tick(self, window: Window, now: float) -> int:
        tick_at = self._ticks_at + math.floor((now - self._ticks_at) / window.per_s) * window.per_s
        return max(0, sum(request.latest() >= tick_at for request in self.requests) - window.requests)

    def _above_the_brim(self, window: Window, now: float) -> int:
        # Each as late as it can be: the level is then highest.
        arrivals = sorted(min(request.latest(), now) for request in self.requests)
        level, at = 0.0, -math.inf
        for arrival in arrivals:
            if level:
                level = max(0.0, level - (arrival - at) * window.requests / window.per_s)
            level, at = level + 1.0, arrival
        return max(0, math.ceil(level - window.requests - 1e-6))
