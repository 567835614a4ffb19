"""Events: what happened, with fields, for whoever listens.

Parts emit; `control/log.py` and `control/metrics.py` listen. Nobody formats text at the place of
the event, and no part knows who listens.

    events.emit("replica_exited", worker="characters", replica="characters#2", status="signal 9")
"""

from collections.abc import Callable
from typing import Any, TypeAlias

Listener: TypeAlias = Callable[[str, dict[str, Any]], None]


class Events:
    """Hand each event to every listener, in the order of their subscription."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Add a listener; it must not block and must not raise."""
        self._listeners.append(listener)

    def emit(self, name: str, /, **fields: Any) -> None:
        """Tell all listeners that `name` (past tense, snake_case) happened. Never put a secret in."""
        for listener in self._listeners:
            listener(name, fields)
