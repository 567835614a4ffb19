"""What the judge saw: counts of each client and endpoint.

    {"requests": n, "by_status": {"200": n, "429": n, "aborted": n}, "refused_second": n, "refused_hour": n,
     "peak_second": n, "hour": n, "first_at": s, "last_at": s}

`requests` is counted on arrival, `by_status` when the answer leaves ("aborted": the connection ended before, by
the client or by a fault), so the sum of by_status lags behind by what is in flight. Moments are CLOCK_MONOTONIC.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Tally:
    """Counts of one client. `arrivals` holds the last second; the peak counts refused requests as well."""

    requests: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    refused_second: int = 0
    refused_hour: int = 0
    peak_second: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    arrivals: deque[float] = field(default_factory=deque)

    def arrive(self, now: float) -> None:
        """Count a request that arrived now."""
        self.first_at = self.first_at or now
        self.last_at = now
        self.requests += 1
        arrivals = self.arrivals
        arrivals.append(now)
        while arrivals[0] <= now - 1.0:
            arrivals.popleft()
        self.peak_second = max(self.peak_second, len(arrivals))

    def report(self, hour: int) -> dict[str, Any]:
        """Return the JSON of this client; hour: requests that count in the hourly window now."""
        return {
            "requests": self.requests,
            "by_status": dict(self.by_status),
            "refused_second": self.refused_second,
            "refused_hour": self.refused_hour,
            "peak_second": self.peak_second,
            "hour": hour,
            "first_at": self.first_at,
            "last_at": self.last_at,
        }
