"""Wait for processes that the kernel gave us: grandchildren whose own parent died.

A subreaper adopts them, and nobody else will reap them. Our direct children have owners who wait for
them within milliseconds, so only what has been a zombie for long is taken.
"""

import os

OWNER_HAS_S = 5.0


class Orphans:
    """Reap adopted zombies, one at a time."""

    def __init__(self) -> None:
        self._seen: tuple[int, float] | None = None  # pid of the zombie last seen, and since when

    def reap(self, now: float) -> int | None:
        """Return the pid of an adopted zombie that was reaped; None = there was none. Never blocks."""
        try:
            info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if info is None:
            self._seen = None
            return None
        if self._seen is None or self._seen[0] != info.si_pid:
            self._seen = (info.si_pid, now)
            return None
        if now - self._seen[1] < OWNER_HAS_S:
            return None
        self._seen = None
        try:
            os.waitpid(info.si_pid, os.WNOHANG)
        except ChildProcessError:
            return None
        return info.si_pid
