"""Leases in time: who holds what until when, on the monotonic clock of this process.

The table knows who holds a job; the deadlines live here only, so that a jump of the wall clock ends no
lease, and a restart of this process gives each a fresh LEASE_S. Event loop only.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

LEASE_S = 30.0
# A lease that its replica does not name this long after the claim was answered never reached it.
STRAY_AFTER_S = 10.0


@dataclass(slots=True)
class Holder:
    """One replica's leases, by number, with the moment of each claim; all hold until `until`."""

    until: float
    leases: dict[int, float] = field(default_factory=dict)


class Leases:
    """Deadlines by replica. Moments are monotonic seconds; a lease maps to the moment of its claim."""

    def __init__(self) -> None:
        self._holders: dict[str, Holder] = {}

    def granted(self, replica: str, leases: Iterable[int], now: float) -> None:
        """Note fresh leases; all of the replica's hold until now + LEASE_S."""
        holder = self._holders.setdefault(replica, Holder(until=now + LEASE_S))
        holder.until = now + LEASE_S
        for lease in leases:
            holder.leases[lease] = now

    def adopted(self, replica: str, lease: int, now: float) -> None:
        """Note a lease of the process before this one: if the replica does not name it at once, it never will.

        The answer to its claim went down with the old connection. Waiting for STRAY_AFTER_S would only help
        an answer that is still on its way.
        """
        holder = self._holders.setdefault(replica, Holder(until=now + LEASE_S))
        holder.leases[lease] = -math.inf

    def ended(self, replica: str, lease: int) -> None:
        """Note that a job was finished or given back."""
        holder = self._holders.get(replica)
        if holder is not None:
            holder.leases.pop(lease, None)

    def renewed(self, replica: str, now: float) -> None:
        """Let all leases of the replica hold until now + LEASE_S."""
        holder = self._holders.get(replica)
        if holder is not None:
            holder.until = now + LEASE_S

    def strays(self, replica: str, known: Iterable[int], now: float) -> list[int]:
        """Return leases older than STRAY_AFTER_S that the replica does not know of."""
        holder = self._holders.get(replica)
        if holder is None:
            return []
        named = set(known)
        return [lease for lease, since in holder.leases.items() if lease not in named and now - since > STRAY_AFTER_S]

    def expired(self, now: float) -> list[str]:
        """Return the replicas whose leases have run out."""
        return [replica for replica, holder in self._holders.items() if holder.leases and holder.until <= now]

    def forget(self, replica: str) -> Holder | None:
        """Note that the replica holds nothing any more; return what it held, for `remember`."""
        return self._holders.pop(replica, None)

    def remember(self, replica: str, holder: Holder | None) -> None:
        """Take a `forget` back, keeping what was granted since."""
        if holder is not None:
            since = self._holders.get(replica)
            holder.leases |= since.leases if since else {}
            self._holders[replica] = holder
