"""What the control API asks of the daemon: the one seam between HTTP and everything behind it."""

from collections.abc import Iterable
from typing import Any, Protocol

from supervisor.control.scale import Scaled, ScaleRequest
from supervisor.pools.alerts import Alert, AlertAnswer


class Face(Protocol):
    """Answer for the whole program. Nothing here blocks; a database that is away is UnavailableError."""

    def status(self) -> dict[str, Any]:
        """Return the JSON of `status --json` and GET /workers (drawn in `status.py`)."""
        ...

    def reasons_not_ready(self) -> list[str]:
        """Return why no work should be sent here now, in a person's words; [] = ready."""
        ...

    async def ask(
        self, method: str, params: dict[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> tuple[int, bytes]:
        """Pass a question to the database unparsed (`database/questions.py`); return HTTP status and JSON."""
        ...

    async def verify_keys(self, name: str | None) -> list[dict[str, Any]]:
        """Obtain a token now with each key (or one): [{"name", "ok", "detail"}]. RefusedError: no such key."""
        ...

    async def set_disabled(self, key: str, disabled: bool) -> dict[str, Any]:
        """Take a key out of use, or back; it survives a restart. RefusedError: no such key."""
        ...

    async def unlock_key(self, key: str) -> dict[str, Any]:
        """End a key's park or quarantine because a person says so. RefusedError: no such key."""
        ...

    def take_alerts(self, alerts: Iterable[Alert]) -> list[AlertAnswer]:
        """Give alerts to autoscale; return what becomes of each and why."""
        ...

    async def scale(self, asked: ScaleRequest) -> Scaled:
        """Change a worker's concurrency or replicas where the configuration keeps them; return when in force.

        NotFoundError, UsageError, ForbiddenError, RefusedError, ConfigurationError: nothing was changed.
        """
        ...

    async def set_paused(self, worker: str, paused: bool) -> tuple[int, dict[str, Any]]:
        """Pause or resume a worker; it survives a restart. Return HTTP status and JSON."""
        ...

    async def restart(self, worker: str) -> tuple[int, dict[str, Any]]:
        """Replace a worker's replicas one after another. Return HTTP status and JSON."""
        ...
