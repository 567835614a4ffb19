"""Change single settings in the text of a TOML file; everything else stays as people wrote it.

    [workers.characters]
    concurrency = 2   # two are enough     {("workers", "characters", "concurrency"): 3}  →  3   # two are enough

Pure, and slow for an event loop (tomlkit takes 0.1 s for a long file): call it in a thread.
"""

import tomllib
from collections.abc import Mapping
from typing import Any, TypeAlias

import tomlkit
from tomlkit.items import InlineTable, Table

from supervisor.core.errors import RefusedError

Setting: TypeAlias = tuple[str, ...]

# A new setting stands below the first of these that its table has, not behind whatever comments end the table.
NEIGHBOURS = ("concurrency", "replicas", "tag", "job")


def edited(text: str, changes: Mapping[Setting, int | str | bool]) -> str:
    """Return `text` with each setting at its new value, comments and layout kept.

    The same text when it says so already. A table that is not there is added at the end. The text is valid TOML.
    RefusedError: the result would say anything else than `text` with these changes; then a person has to edit it.
    """
    wanted = tomllib.loads(text)
    missing = {setting: value for setting, value in changes.items() if not _says(wanted, setting, value)}
    if not missing:
        return text
    document = tomlkit.parse(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    for setting, value in missing.items():
        _set(_table(document, setting), setting[-1], value, newline)
        _plain_table(wanted, setting)[setting[-1]] = value
    result = document.as_string()
    if tomllib.loads(result) != wanted:
        names = ", ".join(".".join(setting) for setting in missing)
        raise RefusedError(f"{names}: its table is written in a way that is not safe to edit; please edit it by hand")
    return result


def _says(values: Any, setting: Setting, value: Any) -> bool:
    for name in setting[:-1]:
        values = values.get(name, {})
    found = values.get(setting[-1])
    return type(found) is type(value) and bool(found == value)


def _table(document: Any, setting: Setting) -> Any:
    *parents, last = setting[:-1]
    for name in parents:
        document = document.setdefault(name, tomlkit.table(is_super_table=True))
    return document.setdefault(last, tomlkit.table())


def _plain_table(values: dict[str, Any], setting: Setting) -> dict[str, Any]:
    for name in setting[:-1]:
        values = values.setdefault(name, {})
    return values


def _set(table: Any, name: str, value: int | str | bool, newline: str) -> None:
    neighbour = next((key for key in NEIGHBOURS if key in table), None)
    if name in table or neighbour is None or not isinstance(table, Table) or isinstance(table, InlineTable):
        table[name] = value
        return
    item = tomlkit.item(value)
    item.trivia.indent = table[neighbour].trivia.indent
    item.trivia.trail = newline
    # No public way leads to a place inside a table; `edited` checks what comes of it.
    table.value._insert_after(neighbour, name, item)
