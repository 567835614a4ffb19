"""What people have said at run time and the file does not say: kept in state_dir/overrides.toml.

    [paused]
    characters = 2026-11-23T13:05:00Z      # paused by a person at this moment, until resumed
    [disabled]
    osint-1 = 2026-11-23T13:06:00Z         # this key is out of use until enabled
    [settings.characters.concurrency]      # a person's number, where the file may not be written (`said.py`)

    [moves.characters]                     # [workers.characters.autoscale] has moved it (`moves.py`)
    [[alerts]]                             # an alert that has been counted

Ours alone: nobody edits it, and a damaged one is set aside, never obeyed. What a person says is on the disk before it
is in force; what autoscale moved is written a moment later (`save`), for nobody was promised that.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from supervisor.core.errors import RefusedError, UnavailableError
from supervisor.settings.config import Config, Worker
from supervisor.settings.durable import write_whole
from supervisor.settings.files import read_toml
from supervisor.settings.moves import CountedAlert, Moved, as_table, read_alerts, read_moves
from supervisor.settings.said import Name, as_tables, in_force, read_settings, say, with_values

FILE = "overrides.toml"


class Overrides:
    """What people said, and what autoscale moved. Read once at start, written at each change.

    What writes blocks until it is on the disk: call it in a thread. UnavailableError: it cannot be written, and then
    nothing has been said. is_dirty: something was kept and not yet saved.

    moves, alerts: of `moves.py`, by worker and in the order in which they came.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._one = threading.Lock()
        self.is_dirty = False
        said = _read(self._path)
        self._paused: dict[str, Any] = _tables(said, "paused")
        self._disabled: dict[str, Any] = _tables(said, "disabled")
        self._settings = read_settings(said.get("settings"))
        self._this_run: dict[str, dict[Name, int | str]] = {}
        self.moves = read_moves(said.get("moves"))
        self.alerts = read_alerts(said.get("alerts"))

    def set_paused(self, worker: str, paused: bool, now: float) -> None:
        """Note that a person paused or resumed `worker` at `now` (wall seconds), and write it down."""
        with self._saying():
            _note(self._paused, worker, paused, now)

    def set_disabled(self, key: str, disabled: bool, now: float) -> None:
        """Note that a person disabled or enabled `key` at `now` (wall seconds), and write it down."""
        with self._saying():
            _note(self._disabled, key, disabled, now)

    def set_settings(self, written: Worker, values: Mapping[Name, int | str], now: float) -> None:
        """Note what a person said at `now` (wall seconds) about a worker, above what is `written`; write it down."""
        with self._saying():
            say(self._settings, written, values, now)

    def set_for_this_run(self, worker: str, values: Mapping[Name, int | str]) -> None:
        """Note what a person said about a worker whose settings the environment fixes; the next start forgets it."""
        self._this_run.setdefault(worker, {}).update(values)

    def forget(self, worker: str, names: Iterable[Name]) -> None:
        """Take back what was said about these settings of a worker: the file says it now."""
        said = [name for name in names if name in self._settings.get(worker, {})]
        if said:
            with self._saying():
                for name in said:
                    del self._settings[worker][name]

    def keep(self, moves: Mapping[str, Moved], alerts: Iterable[CountedAlert]) -> None:
        """Take autoscale's state in place of the old one, to be written by the next `save`. Does not block."""
        state = (dict(moves), list(alerts))
        if state != (self.moves, self.alerts):
            self.moves, self.alerts = state
            self.is_dirty = True

    def save(self) -> None:
        """Write down what was kept."""
        with self._one:
            self._write()

    def applied_to(self, config: Config) -> Config:
        """Return `config` with the overrides in force."""
        workers = {name: self._worker(worker) for name, worker in config.workers.items()}
        keys = tuple(
            msgspec.structs.replace(key, disabled=_said(self._disabled[key.name]))
            if key.name in self._disabled
            else key
            for key in config.keys
        )
        return msgspec.structs.replace(config, workers=workers, keys=keys)

    def _worker(self, written: Worker) -> Worker:
        worker = with_values(written, in_force(self._settings, written) | self._this_run.get(written.name, {}))
        return msgspec.structs.replace(worker, paused=worker.paused or worker.name in self._paused)

    @contextmanager
    def _saying(self) -> Iterator[None]:
        """Change what people said, and take it back when that cannot be written."""
        with self._one:
            before = deepcopy((self._paused, self._disabled, self._settings))
            try:
                yield
                self._write()
            except BaseException:
                self._paused, self._disabled, self._settings = before
                raise

    def _write(self) -> None:
        self.is_dirty = False
        content: dict[str, Any] = {"paused": self._paused, "disabled": self._disabled}
        content["settings"] = as_tables(self._settings)
        content["moves"] = {worker: as_table(moved) for worker, moved in self.moves.items()}
        content["alerts"] = [as_table(alert) for alert in self.alerts]
        text = tomli_w.dumps({name: value for name, value in content.items() if value})
        try:
            write_whole(self._path, text.encode())
        except OSError as error:
            self.is_dirty = True
            raise UnavailableError(f"{self._path}: {error.strerror}; nothing was changed") from error


def _note(said: dict[str, Any], name: str, holds: bool, now: float) -> None:
    if holds:
        said.setdefault(name, datetime.fromtimestamp(int(now), UTC))
    else:
        said.pop(name, None)


def _said(at: Any) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if isinstance(at, datetime) else "an unknown moment"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return read_toml(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}; Gatherer keeps there what people said at run time") from error
    except ValueError:
        aside = (path.with_suffix(f".damaged{number or ''}") for number in count())
        path.rename(next(name for name in aside if not name.exists()))
        return {}


def _tables(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = said.get(name)
    return dict(table) if isinstance(table, dict) else {}
