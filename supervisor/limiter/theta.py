"""How much earlier than its answer a request was surely counted: a guarded minimum of round trips.

A slot may be used again W after the request was counted, and that is before its answer was seen. With
theta ≤ (least way up of any later request) + (least way down of any earlier one), `answer - theta + W` is
as safe as `answer + W`. The least round trip that was seen is an upper bound of that number, not a lower
one: hence the guard. `theta = "off"` needs none of this and is the only setting that is proven.

    one path        0.85 · least round trip of 10 minutes - 1 ms
    several paths   0.6 · the least of theirs - 1 ms: up by one, down by another
    below 50 answers of a path, in 3 different minutes of the last 10: 0
A smaller sample counts at once, a larger one when the smaller is forgotten.
"""

import math

MIN_SAMPLES = 50
MIN_MINUTES = 3
"""The first answers after a start come from one burst, which meets one state of the network, and a busy one."""
KEPT_MINUTES = 10
MINUTE_S = 60.0
GUARD = 0.85
GUARD_OF_SEVERAL = 0.6
GUARD_S = 0.001
MAX_THETA_S = 0.5
"""Nothing is gained beyond; what no answer was seen of is held for so much longer."""
MAX_PATHS = 16
"""Paths are texts that replicas send: with more than these, theta is 0."""

DOUBTED_FOR_S = 600.0
DOUBT = 0.5


class Path:
    """Round trips of one path: the least and their number, minute by minute. least: inf = none in 10 minutes."""

    __slots__ = ("_minutes", "least", "samples")

    def __init__(self) -> None:
        # [minute, least round trip, samples], oldest first.
        self._minutes: list[list[float]] = []
        self.least = math.inf
        self.samples = 0

    def heard(self, rtt_s: float, minute: int) -> bool:
        """Take note of one round trip; tell whether anything but the number of many samples has changed."""
        minutes = self._minutes
        is_new_minute = not minutes or minutes[-1][0] != minute
        if is_new_minute:
            minutes.append([minute, rtt_s, 0])
            self.forget(minute)
        newest = minutes[-1]
        newest[1] = min(newest[1], rtt_s)
        newest[2] += 1
        self.samples += 1
        is_less = rtt_s < self.least
        if is_less:
            self.least = rtt_s
        return is_less or is_new_minute or self.samples == MIN_SAMPLES

    @property
    def is_known(self) -> bool:
        """Tell whether enough was seen, over long enough, to say what the least round trip is."""
        return self.samples >= MIN_SAMPLES and len(self._minutes) >= MIN_MINUTES

    def forget(self, minute: int) -> None:
        """Forget what is older than KEPT_MINUTES."""
        self._minutes = [one for one in self._minutes if one[0] > minute - KEPT_MINUTES]
        self.least = min((one[1] for one in self._minutes), default=math.inf)
        self.samples = int(sum(one[2] for one in self._minutes))


class Theta:
    """theta of one key. value: seconds, ≥ 0."""

    __slots__ = ("_doubted_until", "_factor", "_paths", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self._paths: dict[str, Path] = {}
        self._factor = 1.0
        self._doubted_until = -math.inf

    def heard(self, path: str, rtt_s: float, now: float) -> bool:
        """Take note of one round trip on `path`; tell whether `value` has changed. O(1) but once a minute."""
        minute = int(now // MINUTE_S)
        known = self._paths.get(path)
        if known is None:
            if len(self._paths) > MAX_PATHS:
                # One too many is kept, and says that there are too many.
                return self._settle(now)
            known = self._paths[path] = Path()
        return known.heard(rtt_s, minute) and self._settle(now)

    def doubted(self, now: float) -> bool:
        """Halve for ten minutes, because a 429 came that cannot have come; tell whether that changes anything."""
        if self.value <= 0.0:
            return False
        self._factor *= DOUBT
        self._doubted_until = now + DOUBTED_FOR_S
        return self._settle(now)

    def _settle(self, now: float) -> bool:
        before, self.value = self.value, self._reckoned(now)
        return self.value != before

    def _reckoned(self, now: float) -> float:
        if now >= self._doubted_until:
            self._factor = 1.0
        minute = int(now // MINUTE_S)
        for path in self._paths.values():
            path.forget(minute)
        self._paths = {name: path for name, path in self._paths.items() if path.samples}
        paths = self._paths.values()
        if not paths or len(paths) > MAX_PATHS or not all(path.is_known for path in paths):
            return 0.0
        guard = GUARD if len(paths) == 1 else GUARD_OF_SEVERAL
        theta_s = guard * min(path.least for path in paths) - GUARD_S
        return min(max(0.0, theta_s), MAX_THETA_S) * self._factor
