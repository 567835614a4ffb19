"""What people have said at run time and the file does not say: kept in state_dir/overrides.toml.

    [paused]
    characters = 2026-11-23T13:05:00Z      # paused by a person at this moment, until resumed
    [disabled]
    osint-1 = 2026-11-23T13:06:00Z         # this key is out of use until enabled

Ours alone: nobody edits it, and a damaged one is set aside, never obeyed.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from supervisor.settings.config import Config

FILE = "overrides.toml"


class Overrides:
    """The paused workers and disabled keys. Read once at start, written at each change."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        said = _read(self._path)
        self._paused: dict[str, Any] = dict(said.get("paused", {}))
        self._disabled: dict[str, Any] = dict(said.get("disabled", {}))

    def set_paused(self, worker: str, paused: bool, now: float) -> None:
        """Note that a person paused or resumed `worker` at `now` (wall seconds), and write it down."""
        _note(self._paused, worker, paused, now)
        self._write()

    def set_disabled(self, key: str, disabled: bool, now: float) -> None:
        """Note that a person disabled or enabled `key` at `now` (wall seconds), and write it down."""
        _note(self._disabled, key, disabled, now)
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
        fresh = self._path.with_suffix(".new")
        fresh.write_text(tomli_w.dumps({"paused": self._paused, "disabled": self._disabled}))
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
