"""What the supervisor knows of the database process."""

from dataclasses import dataclass

from supervisor.core.messages.supervisor_database import Census, Pulse, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatistics:
    """A frozen look at the link. state: starting, ready, restarting, refused or stopped.

    reason: why it is not ready, "" when it is. pulse, waiting, census: the last ones, None before the first.
    restarts: since the supervisor's start. unsettled_exits: replica exits not yet taken.
    """

    state: str
    reason: str
    pid: int | None
    sqlite: str
    restarts: int
    pulse: Pulse | None
    waiting: Waiting | None
    unsettled_exits: int
    census: Census | None = None
