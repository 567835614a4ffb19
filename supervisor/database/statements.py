"""Named SQL: read `.sql` files of blocks and run a block.

    file   ::= block*
    block  ::= "-- name: " identifier newline statement+      statements end with ";" and run in order

Parameters are written `:name` and come from a mapping; what a mapping lacks is an error of that row.
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from supervisor.core.errors import ConfigurationError, UsageError

Parameters: TypeAlias = Mapping[str, Any]

_HEAD = re.compile(r"^--\s*name:\s*(\S*)\s*$", re.MULTILINE)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_LEADING_COMMENTS = re.compile(r"(?:\s*--[^\n]*(?:\n|$))*\s*")
# executemany() refuses what is no INSERT, UPDATE, DELETE or REPLACE; these are the words a plain write starts with.
_PLAIN_WRITE = re.compile(r"(?:insert|update|delete|replace)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One named block. parts: its SQL statements, in order."""

    name: str
    parts: tuple[str, ...]

    def run(self, connection: sqlite3.Connection, rows: Sequence[Parameters]) -> None:
        """Run all parts for each row, in order of the rows. sqlite3.Error carries the statement's name as a note."""
        try:
            if len(self.parts) == 1 and _PLAIN_WRITE.match(self.parts[0]):
                connection.executemany(self.parts[0], rows)
                return
            for row in rows:
                for part in self.parts:
                    connection.execute(part, row).fetchall()
        except Exception as error:
            error.add_note(f"in statement {self.name}")
            raise

    def run_counted(self, connection: sqlite3.Connection, row: Parameters) -> int:
        """Run all parts for one row; return how many rows they changed (triggers not counted)."""
        changed = 0
        for part in self.parts:
            before = connection.total_changes
            connection.execute(part, row).fetchall()
            if connection.total_changes != before:
                changed += connection.execute("SELECT changes()").fetchone()[0]
        return changed

    def rows(self, connection: sqlite3.Connection, row: Parameters) -> list[dict[str, Any]]:
        """Run all parts and return the rows of the last one by column name."""
        found: list[dict[str, Any]] = []
        for part in self.parts:
            cursor = connection.execute(part, row)
            names = [column[0] for column in cursor.description or ()]
            found = [dict(zip(names, values, strict=True)) for values in cursor]
        return found


def split(text: str) -> list[str]:
    """Cut SQL text into its statements, without leading comments; `;` in strings and triggers does not cut."""
    parts: list[str] = []
    start = 0
    for match in re.finditer(";", text):
        candidate = text[start : match.end()]
        if sqlite3.complete_statement(candidate):
            parts.append(candidate)
            start = match.end()
    parts.append(text[start:])
    stripped = (_LEADING_COMMENTS.sub("", part, count=1).strip() for part in parts)
    return [part for part in stripped if part]


def parse(text: str, origin: str) -> dict[str, Statement]:
    """Return the blocks of one file by name. ConfigurationError: a bad or repeated name, SQL before the first name."""
    heads = list(_HEAD.finditer(text))
    if split(text[: heads[0].start()] if heads else text):
        raise ConfigurationError([f"{origin}: SQL before the first `-- name:`"])
    found: dict[str, Statement] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        name = head.group(1)
        line = text.count("\n", 0, head.start()) + 1
        parts = split(text[head.end() : following.start() if following else len(text)])
        if not _IDENTIFIER.fullmatch(name) or name in found or not parts:
            raise ConfigurationError(
                [f"{origin}:{line}: statement {name!r} has a bad name, is empty or is there twice"]
            )
        found[name] = Statement(name=name, parts=tuple(parts))
    return found


def load(paths: Iterable[Path]) -> dict[str, Statement]:
    """Return the blocks of several files. ConfigurationError when two files share a name."""
    found: dict[str, Statement] = {}
    for path in sorted(paths):
        blocks = parse(path.read_text(encoding="utf-8"), str(path))
        twice = sorted(found.keys() & blocks.keys())
        if twice:
            raise ConfigurationError([f"{path}: statements {', '.join(twice)} are in another file too"])
        found |= blocks
    return found


_ENGINE = load((Path(__file__).parent / "statements").glob("*.sql"))


def engine_sql(name: str) -> str:
    """Return the engine's own statement `name`, which has one part."""
    (part,) = _ENGINE[name].parts
    return part


def engine_statement(name: str) -> Statement | None:
    """Return the engine's own block `name`, None when it has none."""
    return _ENGINE.get(name)


def find(statements: Mapping[str, Statement], name: str) -> Statement:
    """Return the block `name`. UsageError when a job names one that its package does not have."""
    statement = statements.get(name)
    if statement is None:
        raise UsageError(f"no statement {name!r} in the job package")
    return statement
