"""What people have said at run time and the file does not say: kept in state_dir/overrides.toml.

    [paused]
    characters = 2026-11-23T13:05:00Z      # paused by a person at this moment, until resumed

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
    """The paused workers. Read once at start, written at each change."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._paused: dict[str, Any] = dict(_read(self._path).get("paused", {}))

    def set_paused(self, worker: str, paused: bool, now: float) -> None:
        """Note that a person paused or resumed `worker` at `now` (wall seconds), and write it down."""
        if paused:
            self._paused.setdefault(worker, datetime.fromtimestamp(now, UTC))
        else:
            self._paused.pop(worker, None)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(tomli_w.dumps({"paused": self._paused}))
        fresh.replace(self._path)

    def applied_to(self, config: Config) -> Config:
        """Return `config` with the overrides in force."""
        workers = {
            name: msgspec.structs.replace(worker, paused=worker.paused or name in self._paused)
            for name, worker in config.workers.items()
        }
        return msgspec.structs.replace(config, workers=workers)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        path.replace(path.with_suffix(".damaged"))
        return {}
