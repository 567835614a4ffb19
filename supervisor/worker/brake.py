"""Which endpoints this replica leaves alone, because their bodies did not parse lately.

The supervisor decides that for all replicas of a worker (`pools/brakes.py`), from what their tallies say, and lets
one of them send one request once in a while.
"""

from supervisor.core.messages.replica_supervisor import Braked


class Brakes:
    """What the supervisor has said last."""

    def __init__(self) -> None:
        self._endpoints: frozenset[str] = frozenset()
        self._probes: set[str] = set()

    def told(self, message: Braked) -> None:
        """Take over what is braked from now on, and a probe.

        One that was not used is kept: a pool with little to do would else hand it round for ever and never look.
        """
        self._endpoints = frozenset(message.endpoints)
        self._probes = (self._probes | set(message.probes)) & self._endpoints

    def is_on(self, endpoint: str) -> bool:
        """Tell whether `endpoint` must be left alone now; answers False once for each probe."""
        if endpoint not in self._endpoints:
            return False
        if endpoint in self._probes:
            self._probes.remove(endpoint)
            return False
        return True
