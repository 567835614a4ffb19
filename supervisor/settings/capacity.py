"""What keys allow: requests a second in a burst, for how long, and for ever. Pure arithmetic.

A key with windows of 100 per 1 s and 36,000 per 1 h bursts at 100/s for 6 minutes and sustains 10/s.
"""

import math
from collections.abc import Iterable

from supervisor.settings.config import Config, Key, Value, Worker
from supervisor.settings.packages import nominal_requests
from supervisor.settings.references import keys_of


class Capacity(Value, frozen=True):
    """Requests a second of some keys together.

    burst_s: how long the burst may last after a long rest; inf when nothing ends it.
    """

    sustained_per_s: float = 0.0
    burst_per_s: float = 0.0
    burst_s: float = math.inf


def key_windows(config: Config, key: Key) -> list[tuple[int, float]]:
    """Return [(requests, seconds)] of one key, its `use` or its API's applied."""
    api = config.apis[key.api]
    use = api.use if key.use is None else key.use
    return [(math.floor(window.requests * use + 1e-9), window.per_s) for window in api.windows]


def of_key(config: Config, key: Key) -> Capacity:
    """Return the capacity of one key, its `use` or its API's applied."""
    windows = key_windows(config, key)
    burst_per_s = _rate(min(windows, key=lambda window: window[1]))
    ends = [requests / burst_per_s for requests, per_s in windows if requests / per_s < burst_per_s]
    return Capacity(
        sustained_per_s=min(_rate(window) for window in windows),
        burst_per_s=max(burst_per_s, 0.0),
        burst_s=min(ends, default=math.inf),
    )


def of_keys(config: Config, keys: Iterable[Key]) -> Capacity:
    """Return the capacity of several keys together; the burst ends when the first key's does."""
    each = [of_key(config, key) for key in keys]
    return Capacity(
        sustained_per_s=sum(capacity.sustained_per_s for capacity in each),
        burst_per_s=sum(capacity.burst_per_s for capacity in each),
        burst_s=min((capacity.burst_s for capacity in each), default=math.inf),
    )


def of_worker(config: Config, worker: Worker) -> Capacity:
    """Return the capacity of all keys that a worker may use, as if it were alone."""
    return of_keys(config, keys_of(config, worker))


def requests_wanted_per_s(workers: Iterable[Worker]) -> float:
    """Return the requests a second that the workers' targets need, by the nominal requests of a job."""
    return sum((worker.target_per_s or 0.0) * nominal_requests(worker.job, worker.path) for worker in workers)


def _rate(window: tuple[int, float]) -> float:
    return window[0] / window[1]
