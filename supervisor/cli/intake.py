"""Jobs out of text: what `gatherer enqueue` reads, line by line, never the whole file in memory.

    plain   eu/kaelthas/zoé                                       one entity a line
    csv     worker,region,realm,name,priority,max_age             a header; `entity`, or its parts in columns
    jsonl   {"worker": "characters", "entity": "eu/kaelthas/zoé", "max_age": "12h"}

The first line decides which. What a line leaves out comes from the command's own options.
"""

import csv
import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from supervisor.cli.options import PRIORITIES, parse_duration
from supervisor.core.errors import UsageError

PARTS = ("region", "realm", "name", "guild", "number", "id", "item", "house", "of")
COLUMNS = ("worker", "entity", *PARTS, "priority", "max_age", "max_age_s", "deadline", "args", "provenance")
FORMS = ("auto", "plain", "csv", "jsonl")

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for every line that does not say otherwise; "" and None = nothing."""

    worker: str = ""
    priority: str = "normal"
    max_age_s: float | None = None
    provenance: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is no job, and why."""

    line: int
    reason: str


def jobs(lines: Iterable[tuple[int, str]], form: str, defaults: Defaults) -> Iterator[Record | Fault]:
    """Yield each line as a job for the daemon ({"line", "worker", "entity", …}) or as a Fault.

    UsageError: the first line shows that this cannot be read at all.
    """
    parse: Callable[[str], Record] | None = None
    for number, text in lines:
        if parse is None:
            parse, is_header = _parser(number, text, form)
            if is_header:
                continue
        try:
            yield {"line": number} | job_of(parse(text), defaults)
        except UsageError as error:
            yield Fault(number, str(error))


def job_of(record: Record, defaults: Defaults) -> Record:
    """Return one job as the daemon takes it. UsageError says what is missing or wrong."""
    for name in record:
        if name not in COLUMNS:
            raise UsageError(f"{name!r} is nothing that a job has{_nearest(name)}")
    job = {"worker": _text(record, "worker") or defaults.worker, "entity": _entity(record)}
    if not job["worker"]:
        raise UsageError("no worker: name one in the line, or before the file: gatherer enqueue WORKER --file …")
    job["priority"] = _priority(record, defaults)
    max_age_s = _max_age_s(record, defaults)
    deadline = record.get("deadline") or None
    more = {
        "max_age_s": max_age_s,
        "deadline_s": None if deadline is None else parse_duration(deadline),
        "args": _args(record),
        "provenance": _text(record, "provenance") or defaults.provenance,
    }
    return job | {name: value for name, value in more.items() if value not in (None, "", {})}


def _parser(number: int, text: str, form: str) -> tuple[Callable[[str], Record], bool]:
    """Return how to read the lines from here on, and whether this one is only a header."""
    if form == "jsonl" or (form == "auto" and text.startswith("{")):
        return _parse_json, False
    if form == "plain":
        return _parse_plain, False
    names = [name.strip().lower() for name in _cells(text)]
    if form == "csv" or len(names) > 1 or names[0] == "entity":
        unknown = [name for name in names if name not in COLUMNS]
        if unknown:
            raise UsageError(
                f"line {number}: a CSV begins with the names of its columns, and {unknown[0]!r} is none"
                f"{_nearest(unknown[0])}; known: {', '.join(COLUMNS)}"
            )
        return _csv_parser(names), True
    return _parse_plain, False


def _parse_plain(text: str) -> Record:
    return {"entity": text}


def _parse_json(text: str) -> Record:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"no JSON: {error}") from error
    if not isinstance(record, dict):
        raise UsageError("expected a JSON object")
    return record


def _csv_parser(names: list[str]) -> Callable[[str], Record]:
    def parse(text: str) -> Record:
        cells = _cells(text)
        if len(cells) != len(names):
            raise UsageError(f"{len(cells)} columns, the header has {len(names)}")
        return {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}

    return parse


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        raise UsageError(f"no CSV: {error}") from error


def _entity(record: Record) -> str:
    """Return the entity, or what its parts spell; the daemon knows the pattern, and the region of a missing one."""
    entity = _text(record, "entity") or "/".join(part for name in PARTS if (part := _text(record, name)))
    if not entity and not record.get("args"):
        raise UsageError("no entity")
    return entity


def _text(record: Record, name: str) -> str:
    value = record.get(name, "")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"{name}: expected a text, got {json.dumps(value)[:40]}")
    _must_be_text(name, str(value))
    return str(value).strip()


def _must_be_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON can spell half of a surrogate pair, which is no character
        raise UsageError(f"{name}: {text[:40]!r} is no text") from error


def _priority(record: Record, defaults: Defaults) -> str:
    priority = record.get("priority", defaults.priority)
    if priority not in PRIORITIES:
        raise UsageError(f"priority: expected {', '.join(PRIORITIES)}, got {str(priority)[:40]!r}")
    return str(priority)


def _max_age_s(record: Record, defaults: Defaults) -> float | None:
    for name in ("max_age", "max_age_s"):
        if record.get(name) is not None:
            return parse_duration(record[name])
    return defaults.max_age_s


def _args(record: Record) -> Record:
    args = record.get("args", {})
    if isinstance(args, str):
        args = _parse_json(args)
    if not isinstance(args, dict):
        raise UsageError("args: expected a JSON object")
    try:
        _must_be_text("args", json.dumps(args, ensure_ascii=False, allow_nan=False))
    except ValueError as error:
        raise UsageError(f"args: {error}") from error
    return args


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(str(name).lower(), COLUMNS, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
