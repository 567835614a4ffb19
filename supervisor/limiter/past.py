"""What is known of a key's earlier requests, and where its present ones are written down."""

from dataclasses import dataclass
from typing import Protocol

LINGER_S = 2.0
"""How long after we gave up on a request the server may still come to count it: one 1-s TCP retransmission and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a journal says about one key when it is opened. All moments are monotonic seconds of now.

    origin: "new" (never seen here: unspent), "restored", "damaged" (spent) or "unrecorded" (no room).
    charges: answered requests, oldest first, in the journal's buckets.
    unknown: requests in flight when the last process ended, which linger; unflushed_s: seconds of requests at full
    speed that power loss may have taken from the journal.
    short_full_at: short windows count as full at this moment, because the journal's buckets are too coarse for
    them; None = they do not.
    parked_until: 0 = not parked.
    """

    origin: str = "new"
    charges: tuple[tuple[float, int], ...] = ()
    unknown: int = 0
    unflushed_s: float = 0.0
    short_full_at: float | None = None
    parked_until: float = 0.0


class Record(Protocol):
    """One key's page in the journal. Each call is a few stores to mapped memory: never blocks, never fails."""

    def mark(self, in_flight: int) -> None:
        """Write down the requests in flight; called before a grant leaves."""
        ...

    def charge(self, now: float, in_flight: int) -> None:
        """Write down one counted request, then those still in flight: a crash in between counts one twice."""
        ...

    def park(self, until: float) -> None:
        """Write down that the key must not be used until `until`."""
        ...


class NoRecord:
    """Forgets everything; for keys before the journal is open, and for simulations."""

    def mark(self, in_flight: int) -> None:
        """Do nothing."""

    def charge(self, now: float, in_flight: int) -> None:
        """Do nothing."""

    def park(self, until: float) -> None:
        """Do nothing."""
