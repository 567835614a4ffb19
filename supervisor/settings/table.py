"""One TOML table, read name by name: types, ranges and unknown names.

Every reading method returns a usable value even when it reports a problem, so that one pass over a
file finds everything that is wrong with it.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from supervisor.settings import units
from supervisor.settings.document import Source
from supervisor.settings.lines import Place
from supervisor.settings.report import Report, nearest, shown, type_of

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
MAX_NUMBER = 1e9
A_NAME: Final = "a name of letters, digits, - and _, at most 64 characters"
A_DURATION: Final = 'a duration above 0, such as 30, "10m" or "24h"'


class Table:
    """Read the settings of one table; `close` reports the names that nobody asked for."""

    def __init__(
        self, report: Report, source: Source, values: dict[str, Any], place: Place = (), label: str = ""
    ) -> None:
        self.report = report
        self.label = label
        self._source = source
        self._values = values
        self._place = place
        self._known: set[str] = set()
        report.place(label, source, place)

    def rename(self, label: str) -> None:
        """Go by another label from now on (`keys.osint-1` once the name is known)."""
        self.label = label
        self.report.place(label, self._source, self._place)

    def has(self, name: str) -> bool:
        """Tell whether the table says anything about `name`."""
        self._know(name)
        return name in self._values

    @property
    def folder(self) -> Path:
        """Where the file is that says this; relative paths in it start there."""
        return self._source.file.parent

    @property
    def file(self) -> Path:
        """The file itself."""
        return self._source.file

    def names(self) -> list[str]:
        """Return every name in the table, for tables whose names are the user's own."""
        return list(self._values)

    def says(self, name: str, word: object) -> bool:
        """Tell whether `name` has exactly this value."""
        return self.has(name) and self._values[name] == word

    def problem(self, name: str, sentence: str) -> None:
        """Report a problem with the setting `name` of this table."""
        self._mark(name)
        self.report.problem(self._label(name), sentence)

    def required(self, name: str, example: str) -> None:
        """Report that `name` must be there, when it is not."""
        if not self.has(name):
            self.report.problem(self.label, f"{name} is missing, for example {name} = {example}")

    def text(self, name: str, default: str, *, shape: re.Pattern[str] | None = None, expected: str = "a text") -> str:
        """Return a non-empty printable text that matches `shape`."""

        def accept(value: Any) -> str:
            is_right = isinstance(value, str) and value.isprintable() and bool(value) and _fits(shape, value)
            return str(_if(is_right, value))

        return self._read(name, default, expected, accept)

    def hidden(self, name: str) -> str:
        """Return a secret text; a problem with it never shows it."""
        return self._read(name, "", "a text", lambda v: _if(isinstance(v, str) and bool(v), v), show=type_of)

    def name(self, name: str, default: str) -> str:
        """Return a text that may name things (letters, digits, - and _)."""
        return self.text(name, default, shape=NAME, expected=A_NAME)

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """Return one of the words `choices`."""
        expected = "one of " + ", ".join(f'"{word}"' for word in choices)
        return self._read(name, default, expected, lambda v: _if(isinstance(v, str) and v in choices, v))

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        return self._read(name, default, "true or false", lambda v: _if(isinstance(v, bool), v))

    def integer(self, name: str, default: int, low: int, high: int, more: str = "") -> int:
        """Return an integer from low to high; `more` says what else was allowed."""

        def accept(value: Any) -> int:
            return int(_if(isinstance(value, int) and not isinstance(value, bool) and low <= value <= high, value))

        return self._read(name, default, f"an integer from {low} to {high}{more}", accept)

    def share(self, name: str, default: float) -> float:
        """Return a number above 0, at most 1."""
        return self._read(name, default, "a number above 0 and at most 1", lambda v: _positive(v, 1.0))

    def number(self, name: str, default: float) -> float:
        """Return a number above 0."""
        return self._read(name, default, "a number above 0", lambda v: _positive(v, MAX_NUMBER))

    def duration(self, name: str, default: float) -> float:
        """Return a duration above 0 in seconds."""
        return self._read(name, default, A_DURATION, lambda v: _positive(units.seconds(v), units.MAX_DURATION_S))

    def seconds(self, name: str, default: float, expected: str) -> float:
        """Return a duration of 0 or more in seconds."""
        return self._read(name, default, expected, units.seconds)

    def size(self, name: str, default: int) -> int:
        """Return a size in bytes."""
        return self._read(name, default, 'a size in bytes, such as 500000000, "500MB" or "2GB"', units.size_bytes)

    def words(self, name: str, shape: re.Pattern[str] = NAME, expected: str = A_NAME) -> tuple[str, ...]:
        """Return a list of texts that match `shape`; () when absent. A word given twice counts once."""

        def accept(value: Any) -> tuple[str, ...]:
            is_list = isinstance(value, list) and all(isinstance(v, str) and _fits(shape, v) for v in value)
            return tuple(dict.fromkeys(_if(is_list, value)))

        return self._read(name, (), f"a list of texts, each {expected}", accept)

    def plain(self, name: str, accept: Callable[[Any], dict[str, Any]], expected: str) -> dict[str, Any]:
        """Return a table of the user's own names as it stands, {} when absent."""
        return self._read(name, {}, expected, accept)

    def child(self, name: str) -> "Table":
        """Return the table `name`, empty when absent."""
        values: dict[str, Any] = self._read(
            name, {}, f"a table, [{self._label(name)}]", lambda v: _if(isinstance(v, dict), v)
        )
        return self._descend(values, (name,), self._label(name))

    def children(self, name: str) -> dict[str, "Table"]:
        """Return the tables in table `name` by their names: [workers.characters] → {"characters": …}."""
        outer, found = self.child(name), {}
        for key, value in outer._values.items():
            if not NAME.fullmatch(key):
                outer.problem(key, f"expected {A_NAME}")
            elif not isinstance(value, dict):
                outer.problem(key, f"expected a table, [{name}.{key}], got {type_of(value)}")
            else:
                found[key] = outer._descend(value, (key,), f"{outer.label}.{key}")
        return found

    def elements(self, name: str, expected: str) -> list["Table"]:
        """Return the tables of an array of tables: [[keys]], or windows = [{ … }, { … }]."""

        def accept(value: Any) -> list[dict[str, Any]]:
            return _if(isinstance(value, list) and all(isinstance(v, dict) for v in value), value)

        values: list[dict[str, Any]] = self._read(name, [], expected, accept)
        label = self._label(name)
        return [self._descend(v, (name, index), f"{label}[{index + 1}]") for index, v in enumerate(values)]

    def close(self) -> None:
        """Report every name in the table that was never asked for, with the nearest known one."""
        for name in self._values.keys() - self._known:
            self.problem(name, f"unknown name{nearest(name, self._known)}")

    def _read(
        self, name: str, default: T, expected: str, accept: Callable[[Any], T], show: Callable[[Any], str] = shown
    ) -> T:
        """Return accept(value), or the default when the name is absent or accept raises ValueError."""
        if not self.has(name):
            return default
        value = self._values[name]
        self._mark(name)
        try:
            return accept(value)
        except ValueError:
            self.problem(name, f"expected {expected}, got {show(value)}")
            return default

    def _descend(self, values: dict[str, Any], step: Place, label: str) -> "Table":
        return Table(self.report, self._source, values, (*self._place, *step), label)

    def _mark(self, name: str) -> None:
        """Let problems with the setting `name` stand at its line, when somebody wrote it."""
        if name in self._values:
            self.report.place(self._label(name), self._source, (*self._place, name))

    def _know(self, name: str) -> None:
        self._known.add(name)
        self.report.known.add(self._label(name))

    def _label(self, name: str) -> str:
        # A quoted key may hold anything; in a message it is one short printable word.
        word = name if NAME.fullmatch(name) else shown(name)
        return f"{self.label}.{word}" if self.label else word


def _if(is_right: bool, value: T) -> T:
    if not is_right:
        raise ValueError
    return value


def _positive(value: Any, most: float) -> float:
    return float(_if(units.is_number(value) and 0 < value <= most, value))


def _fits(shape: re.Pattern[str] | None, value: str) -> bool:
    return shape is None or shape.fullmatch(value) is not None
