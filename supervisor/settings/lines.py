"""On which line each setting of a TOML text stands.

tomllib tells values, not places, and tomlkit costs twenty times as much for every start and reload.
The text has been through tomllib before, so this reader only has to follow its shape, not judge it.

A path is a tuple of names and indexes: `[[keys]]` twice, then `tags = [` on line 7 gives
("keys",) → 1, ("keys", 0) → 1, ("keys", 1) → 6, ("keys", 1, "tags") → 7.
"""

import bisect
import re
import tomllib
from typing import TypeAlias

Place: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'  # up to two quotes may stand before the closing three
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")
MAX_NAME_PARTS = 50
# Once strings and comments are out of the way, so many dots between two ends of a value are one long name.
_NO_NAME = re.compile(rf"{_STRING.pattern}|#[^\n]*", re.DOTALL)
_LONG_NAME = re.compile(rf"(?:[^.\n,={{}}]*+\.){{{MAX_NAME_PARTS}}}")


def long_name_at(text: str) -> int:
    """Return the line of a name of more than MAX_NAME_PARTS parts (a.b.c…), 0 = there is none.

    tomllib takes the square of the parts: half a megabyte of them would keep it busy for days.
    """
    if text.count(".") < MAX_NAME_PARTS:
        return 0
    bare = _NO_NAME.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(bare.split("\n"), 1):
        if line.count(".") >= MAX_NAME_PARTS and _LONG_NAME.search(line):
            return number
    return 0


def locate(text: str) -> dict[Place, int]:
    """Return path → line (from 1) of every table, array element and setting of a valid TOML text."""
    reader = _Reader(text)
    reader.document()
    return reader.lines


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tables_in: dict[Place, int] = {}
        self.lines: dict[Place, int] = {}

    def document(self) -> None:
        prefix: Place = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            before = self._at
            if self._text[self._at] == "[":
                prefix = self._header()
            else:
                self._pair(prefix)
            self._skip(_BLANK)
            if self._at == before:  # a shape we do not know: better no line than no end
                return

    def _header(self) -> Place:
        is_array = self._text.startswith("[[", self._at)
        start = self._at
        self._at += 2 if is_array else 1
        *parents, last = self._key()
        self._at += 2 if is_array else 1
        place: Place = ()
        for name in parents:
            place = self._newest((*place, name))
        place = (*place, last)
        if is_array:
            self._tables_in[place] = self._tables_in.get(place, -1) + 1
        place = self._newest(place)
        self._note(place, start)
        return place

    def _newest(self, place: Place) -> Place:
        """Return the element that [x.y] means when x is an array of tables: its latest."""
        index = self._tables_in.get(place)
        return place if index is None else (*place, index)

    def _pair(self, prefix: Place) -> None:
        start = self._at
        place = (*prefix, *self._key())
        self._note(place, start)
        self._at += 1  # the "="
        self._skip(_SPACE)
        self._value(place)

    def _key(self) -> tuple[str, ...]:
        names: list[str] = []
        while self._at < len(self._text):
            self._skip(_SPACE)
            match = _BARE_KEY.match(self._text, self._at) or _STRING.match(self._text, self._at)
            if match is None:
                break
            self._at = match.end()
            raw = match[0]
            names.append(tomllib.loads(f"name = {raw}")["name"] if raw[0] in "\"'" else raw)
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                break
            self._at += 1
        return tuple(names) or ("",)

    def _value(self, place: Place) -> None:
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._array(place)
        elif opening == "{":
            self._inline_table(place)
        else:
            match = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
            self._at = match.end() if match else len(self._text)

    def _array(self, place: Place) -> None:
        index = 0
        while self._has_member("["):
            self._note((*place, index), self._at)
            self._value((*place, index))
            index += 1

    def _inline_table(self, place: Place) -> None:
        while self._has_member("{"):
            self._pair(place)

    def _has_member(self, opening: str) -> bool:
        """Step over the opening bracket or a comma to the next member, or past the closing bracket."""
        self._skip(_BLANK)
        if self._text[self._at : self._at + 1] not in (opening, ","):
            self._at += 1
            return False
        self._at += 1
        self._skip(_BLANK)
        if self._text[self._at : self._at + 1] in ("]", "}", ""):
            self._at += 1
            return False
        return True

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _note(self, place: Place, position: int) -> None:
        line = bisect.bisect_right(self._starts, position)
        for length in range(1, len(place) + 1):
            self.lines.setdefault(place[:length], line)
