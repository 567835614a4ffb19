"""How long the API takes to answer: lognormal, by dice of a seed."""

from math import exp, log
from random import Random

SLOWED_LEAST, SLOWED_MOST = 5.0, 20.0


class Latency:
    """Draw a latency for each request; the n-th draw of a seed is always the same."""

    def __init__(self, *, median_s: float, sigma: float, seed: int) -> None:
        self._median_s = median_s
        self._mu = log(median_s) if median_s > 0 else 0.0
        self._sigma = sigma
        self._random = Random(seed)

    def draw(self, *, slowed: bool = False) -> float:
        """Return seconds ≥ 0. slowed: beyond the hour's quota, 5 to 20 times longer (a model, not a measurement)."""
        if self._median_s <= 0:
            return 0.0
        seconds = exp(self._random.normalvariate(self._mu, self._sigma))
        return seconds * self._random.uniform(SLOWED_LEAST, SLOWED_MOST) if slowed else seconds
