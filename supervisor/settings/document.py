"""One TOML file: its content, where each setting stands, and what is laid over it from outside."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.settings.lines import Place


@dataclass(slots=True)
class Source:
    """Where settings come from: a file's name for people, the lines in it, and what overrides them.

    origins: settings whose value is not the file's → "OSINT_REPLICAS" or "command line".
    """

    name: str
    file: Path
    lines: dict[Place, int]
    origins: dict[Place, str] = field(default_factory=dict)

    def where(self, place: Place) -> tuple[str, int]:
        """Return (name, line) of the setting or of the nearest enclosing one; line 0 = not in a file."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.origins:
                return self.origins[place[:length]], 0
            if place[:length] in self.lines:
                return self.name, self.lines[place[:length]]
        return self.name, 1


@dataclass(slots=True)
class Document:
    """The content of a file, before anybody has looked at its meaning."""

    values: dict[str, Any]
    source: Source

    def names(self, name: str) -> list[str]:
        """Return the names in the top-level table `name`."""
        table = self.values.get(name)
        return list(table) if isinstance(table, dict) else []

    def peek(self, *place: str) -> Any:
        """Return the value at a place, None when there is none."""
        value: Any = self.values
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def lay(self, place: tuple[str, ...], value: Any, origin: str) -> bool:
        """Set a value from outside; False when something on the way to it is no table."""
        table = self.values
        for depth, name in enumerate(place[:-1], start=1):
            if name not in table:
                table[name] = {}
                self.source.origins[place[:depth]] = origin
            table = table[name]
            if not isinstance(table, dict):
                return False
        table[place[-1]] = value
        self.source.origins[place] = origin
        return True
