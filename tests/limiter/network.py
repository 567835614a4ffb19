"""The way to a server and back, as the worst of days has it.

base        40 ms there and back, split at random 30-70 %
jitter      exponential, split at random
server      lognormal time of the server itself, after it has counted (median 15 ms, sigma 0.8)
lost        one request in 2,000 is sent again after 1 s, up or down
stalls      up, server or down stands still for 1 s, every 300 s on average: what is in it leaves together
"""

import math
from random import Random

BASE_S = 0.04
SIGMA = 0.8
STALL_S = 1.0
LOST_ON_A_WAY = 0.00025
RESENT_S = 1.0
UP, DOWN, SERVER = 0, 1, 2


class Network:
    """Delays of one path. jitter_s: mean of the exponential part. base_s may be set anew: the route changes."""

    def __init__(
        self, random: Random, *, jitter_s: float, server_s: float = 0.015, stall_every_s: float = 300.0
    ) -> None:
        self._random = random
        self._up_share, jitter_up = random.uniform(0.3, 0.7), random.random()
        self.base_s = BASE_S
        self._jitter = (jitter_s * jitter_up, jitter_s * (1 - jitter_up))
        self._server = math.log(server_s) if server_s else None
        self._stall_every_s = stall_every_s
        self._stall = [(math.inf, math.inf)] * 3
        self._next_stall = random.expovariate(1 / stall_every_s)

    @property
    def base_s(self) -> float:
        """The shortest round trip, server time aside."""
        return self._base[0] + self._base[1]

    @base_s.setter
    def base_s(self, base_s: float) -> None:
        self._base = (base_s * self._up_share, base_s * (1 - self._up_share))

    def delay(self, way: int, at: float) -> float:
        """Return the seconds from `at` to the other end; way is UP or DOWN."""
        random = self._random.random
        delay = self._base[way] - self._jitter[way] * math.log(1.0 - random())
        if random() < LOST_ON_A_WAY:
            delay += RESENT_S
        return delay + self._stalled(way, at)

    def server_time(self, at: float) -> float:
        """Return how long the server works on a request counted at `at`."""
        work_s = self._random.lognormvariate(self._server, SIGMA) if self._server is not None else 0.0
        return work_s + self._stalled(SERVER, at)

    def _stalled(self, part: int, at: float) -> float:
        while at >= self._next_stall:
            self._stall[self._random.randrange(3)] = (self._next_stall, self._next_stall + STALL_S)
            self._next_stall += self._random.expovariate(1 / self._stall_every_s)
        begin, end = self._stall[part]
        return max(0.0, end - at) if begin <= at else 0.0
