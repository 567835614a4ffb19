"""What an edit changed, setting by setting, and what that does to a program that runs.

ACTIONS is the whole table, and a test holds every setting against it. Secrets are compared and never shown.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from supervisor.settings.config import Config, Secret, Value, Worker

RESIZED = "resized in place"
SCALED = "replicas started or drained"
ROLLED = "replicas replaced one by one"
LIVE = "in force"
RESTART = "takes effect at the next start"

# The first pattern that fits decides.
ACTIONS = (
    ("server.listen", RESTART),
    ("state_dir", RESTART),
    ("run_dir", RESTART),
    ("workers.*.concurrency", RESIZED),
    ("workers.*.autoscale*", RESIZED),
    ("workers.*.paused", RESIZED),
    ("workers.*.replicas", SCALED),
    ("workers.*.job", ROLLED),
    ("workers.*.path", ROLLED),
    ("workers.*.environment", ROLLED),
    ("*", LIVE),
)
# Where it comes from and what is only said about it: no settings.
NOT_SETTINGS = {"path", "sha256", "pinned", "warnings", "sources", "secret_variables"}
# Tables whose entries have names of their own; [[keys]] bring theirs along.
NAMED = {"apis", "workers", "schedules", "freshness"}
FIELDS = {"min_free_bytes": "storage.min_free", "retention_s": "retention"}
ABSENT = "nothing"


class Change(Value, frozen=True):
    """One setting. before, after: as text, ABSENT for a table that was or is not there. action: of ACTIONS."""

    setting: str
    before: str
    after: str
    action: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.before} → {self.after} ({self.action})"


def difference(before: Config, after: Config) -> tuple[Change, ...]:
    """Return every setting that differs, in the order of the configuration."""
    old, new = dict(_settings(before)), dict(_settings(after))
    changes = []
    for setting in dict.fromkeys([*old, *new]):
        if setting in old and setting in new and old[setting] == new[setting]:
            continue
        if _table_of(setting, old, new):
            continue
        texts = [_text(found[setting]) if setting in found else ABSENT for found in (old, new)]
        if texts[0] == texts[1]:
            texts[1] = "another one"
        changes.append(Change(setting=setting, before=texts[0], after=texts[1], action=action_of(setting)))
    return tuple(changes)


def action_of(setting: str) -> str:
    """Return what a change of this setting does."""
    return next(action for pattern, action in ACTIONS if fnmatchcase(setting, pattern))


def needs_restart(running: Config, written: Config) -> tuple[str, ...]:
    """Return a sentence for each written setting that is not in force before the next start."""
    return tuple(
        f"{change.setting} is {change.before} until a restart, then {change.after}"
        for change in difference(running, written)
        if change.action == RESTART
    )


def without_restart(running: Config, written: Config) -> Config:
    """Return what can be in force now: all that is written but for what waits for a restart."""
    server = msgspec.structs.replace(written.server, listen=running.server.listen)
    return msgspec.structs.replace(written, server=server, state_dir=running.state_dir, run_dir=running.run_dir)


def _table_of(setting: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Tell whether the whole table of this setting came or went, which is one change, not one for each setting."""
    parent = setting.rpartition(".")[0]
    while parent:
        if (parent in old) != (parent in new):
            return True
        parent = parent.rpartition(".")[0]
    return False


def _settings(config: Config) -> Iterator[tuple[str, Any]]:
    for field in config.__struct_fields__:
        value = getattr(config, field)
        if field in NOT_SETTINGS:
            continue
        if field in NAMED:
            for name, entry in value.items():
                yield from _entry(f"{field}.{name}", entry)
        elif field == "keys":
            for key in value:
                yield from _entry(f"keys.{key.name}", key)
        elif isinstance(value, Value):
            yield from _entry(field, value)
        elif field == "retention_s":
            yield from ((f"retention.{name}", age_s) for name, age_s in value.items())
        else:
            yield FIELDS.get(field, field), value


def _entry(label: str, entry: Value) -> Iterator[tuple[str, Any]]:
    """Yield a table and its settings. The table's own value only says that it is there."""
    yield label, "a table"
    for field in entry.__struct_fields__:
        value = getattr(entry, field)
        if field in ("name", "auto"):  # concurrency says both
            continue
        if isinstance(entry, Worker) and field == "concurrency":
            yield f"{label}.{field}", entry.written_concurrency
        elif isinstance(value, Value):
            yield from _entry(f"{label}.{field}", value)
        else:
            yield f"{label}.{_name_of(field)}", value


def _name_of(field: str) -> str:
    """Return the name in the file: durations and sizes carry their unit only in the code."""
    return field if field.endswith("per_s") else field.removesuffix("_s").removesuffix("_bytes")


def _text(value: Any) -> str:
    if isinstance(value, Secret):
        return "****"
    if value is None or value in ("", (), {}):
        return ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return ", ".join(_text(each) for each in value)
    if isinstance(value, Value):
        return " ".join(f"{_name_of(name)}={_text(getattr(value, name))}" for name in value.__struct_fields__)
    if isinstance(value, dict):
        return "set"
    return str(value)
