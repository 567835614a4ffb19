"""What people have said at run time and the file does not say: kept in state_dir/overrides.toml.

    [paused]
    characters = 2026-11-23T13:05:00Z      # paused by a person at this moment, until resumed
    [disabled]
    osint-1 = 2026-11-23T13:06:00Z         # this key is out of use until enabled

    [moves.characters]                     # [workers.characters.autoscale] has moved it (`moves.py`)
    [[alerts]]                             # an alert that has been counted

Ours alone: nobody edits it, and a damaged one is set aside, never obeyed.
"""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from supervisor.settings.config import Config
from supervisor.settings.moves import CountedAlert, Moved, as_table, read_alerts, read_moves

FILE = "overrides.toml"


class Overrides:
    """The paused workers, the disabled keys, and what autoscale moved. Read once at start, written at each change.

    moves, alerts: of `moves.py`, by worker and in the order in which they came.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        said = _read(self._path)
        self._paused: dict[str, Any] = dict(said.get("paused", {}))
        self._disabled: dict[str, Any] = dict(said.get("disabled", {}))
        self.moves = read_moves(said.get("moves"))
        self.alerts = read_alerts(said.get("alerts"))

    def set_paused(self, worker: str, paused: bool, now: float) -> None:
        """Note that a person paused or resumed `worker` at `now` (wall seconds), and write it down."""
        _note(self._paused, worker, paused, now)
        self._write()

    def set_disabled(self, key: str, disabled: bool, now: float) -> None:
        """Note that a person disabled or enabled `key` at `now` (wall seconds), and write it down."""
        _note(self._disabled, key, disabled, now)
        self._write()

    def keep(self, moves: Mapping[str, Moved], alerts: Iterable[CountedAlert]) -> None:
        """Take autoscale's state in place of the old one, and write it down if it differs."""
        state = (dict(moves), list(alerts))
        if state != (self.moves, self.alerts):
            self.moves, self.alerts = state
            self._write()

    def applied_to(self, config: Config) -> Config:
        """Return `config` with the overrides in force."""
        workers = {
            name: msgspec.structs.replace(worker, paused=worker.paused or name in self._paused)
            for name, worker in config.workers.items()
        }
        keys = tuple(
            msgspec.structs.replace(key, disabled=_said(self._disabled[key.name]))
            if key.name in self._disabled
            else key
            for key in config.keys
        )
        return msgspec.structs.replace(config, workers=workers, keys=keys)

    def _write(self) -> None:
        content: dict[str, Any] = {"paused": self._paused, "disabled": self._disabled}
        content["moves"] = {worker: as_table(moved) for worker, moved in self.moves.items()}
        content["alerts"] = [as_table(alert) for alert in self.alerts]
        fresh = self._path.with_suffix(".new")
        fresh.write_text(tomli_w.dumps({name: value for name, value in content.items() if value}))
        fresh.replace(self._path)


def _note(said: dict[str, Any], name: str, holds: bool, now: float) -> None:
    if holds:
        said.setdefault(name, datetime.fromtimestamp(int(now), UTC))
    else:
        said.pop(name, None)


def _said(at: Any) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if isinstance(at, datetime) else "an unknown moment"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        path.replace(path.with_suffix(".damaged"))
        return {}
