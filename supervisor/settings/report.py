"""What is wrong, and where: all problems and warnings of one configuration, in the order of its files.

A label is what people call a setting: "workers.auctions.replicas", "keys.osint-1.client_id". Tables
register the labels that they read; a problem about a label that nobody wrote stands at the nearest
enclosing one that somebody did.
"""

import difflib
from collections.abc import Iterable
from typing import Any

from supervisor.settings.document import Source
from supervisor.settings.lines import Place

MAX_SHOWN = 60
MAX_SHOWN_INTEGER = 10**18
MAX_PROBLEMS = 100


class Report:
    """Collect problems (the file cannot be used) and warnings (it can, but look)."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._places: dict[str, tuple[str, int]] = {}
        self._problems: list[tuple[int, int, str]] = []
        self._warnings: list[tuple[int, int, str]] = []
        self.known: set[str] = set()  # every label that the code asked for, with or without a value

    def place(self, label: str, source: Source, place: Place) -> None:
        """Remember that `label` stands at `place` of `source`."""
        self._places[label] = source.where(place)

    def is_placed(self, label: str) -> bool:
        """Tell whether somebody wrote the setting `label`."""
        return label in self._places

    def where(self, label: str) -> str:
        """Return "file:line" of a label or of the nearest enclosing one."""
        name, line = self._find(label)
        return f"{name}:{line}" if line else name

    def problem(self, label: str, sentence: str) -> None:
        """Add a problem with the setting `label` ("" = the whole file)."""
        self._add(self._problems, label, sentence)

    def warning(self, label: str, sentence: str) -> None:
        """Add a warning about the setting `label`."""
        self._add(self._warnings, label, sentence)

    def problem_at(self, name: str, line: int, sentence: str) -> None:
        """Add a problem of a file or variable that is not read as settings; line 0 = no line to name."""
        text = f"{name}:{line}: {sentence}" if line else f"{name}: {sentence}"
        self._problems.append((self._order(name), line, text))

    def warning_at(self, name: str, sentence: str) -> None:
        """Add a warning about a file or variable that is not read as settings."""
        self._warnings.append((self._order(name), 0, f"{name}: {sentence}"))

    @property
    def problems(self) -> list[str]:
        """All problems, in the order of files and lines; above MAX_PROBLEMS the first of them, and how many more."""
        found = [text for _, _, text in sorted(set(self._problems))]
        more = len(found) - MAX_PROBLEMS
        return found if more <= 0 else [*found[:MAX_PROBLEMS], f"{self._files[0]}: and {more:,} problems more"]

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, in the order of files and lines."""
        return tuple(text for _, _, text in sorted(set(self._warnings)))

    def _add(self, entries: list[tuple[int, int, str]], label: str, sentence: str) -> None:
        name, line = self._find(label)
        text = f"{self.where(label)}: {label}: {sentence}" if label else f"{self.where(label)}: {sentence}"
        entries.append((self._order(name), line, text))

    def _find(self, label: str) -> tuple[str, int]:
        while label not in self._places and label:
            label = label.rpartition(".")[0]
        return self._places.get(label, ("configuration", 0))

    def _order(self, name: str) -> int:
        if name not in self._files:
            self._files.append(name)
        return self._files.index(name)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean …?)" with the most similar known name, or with all of a few, or ""."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f' (did you mean "{close[0]}"?)'
    if 0 < len(names) <= 6:
        return f" (known: {', '.join(names)})"
    return ""


def shown(value: Any) -> str:
    """Return a TOML value as a person wrote it, cut short; never call it with a secret."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        cut = value if len(value) <= MAX_SHOWN else value[:MAX_SHOWN] + "…"
        return '"' + "".join(c if c.isprintable() else "�" for c in cut) + '"'
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < MAX_SHOWN_INTEGER):
        return str(value)
    return type_of(value)


def type_of(value: Any) -> str:
    """Return what kind of TOML value this is, without its content."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a text", int: "an integer", float: "a number", dict: "a table", list: "a list"}
    return names.get(type(value), "a date or time")
