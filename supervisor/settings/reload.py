"""Decide whether an edited file may take the place of the configuration in force."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from supervisor.core.errors import ConfigurationError, RefusedError
from supervisor.settings.config import Config
from supervisor.settings.edit import Setting, edited
from supervisor.settings.files import key_files
from supervisor.settings.reading import load
from supervisor.settings.replacing import replace


class Source:
    """Where the configuration comes from: a file, the environment of the start, the command line."""

    def __init__(self, path: Path | None, environment: Mapping[str, str], overrides: Mapping[str, str]) -> None:
        self._path = path
        # A copy: the secrets leave the real environment after the first reading.
        self._environment = dict(environment)
        self._overrides = overrides

    def read(self) -> Config:
        """Return what it says now. ConfigurationError has every problem."""
        return load(self._path, environment=self._environment, overrides=self._overrides)

    def reread(self, in_force: Config, *, insist: bool) -> Config:
        """Return what it says now, to follow `in_force`. ConfigurationError also when pools vanish.

        A half-written file is often valid TOML with fewer tables, so a worker that is not there any
        more must have had `replicas = 0` before. insist: a person asked (SIGHUP), so it may go.
        """
        return self._follows(in_force, self.read(), insist=insist)

    def edit(self, in_force: Config, changes: Mapping[Setting, int | str | bool]) -> None:
        """Change single settings in the file. Blocking; errors as in `replace` and `reread`, then it is as it was."""
        assert self._path is not None
        replace(self._path, lambda text: self._edited(text, changes), lambda fresh: self._judge(in_force, fresh))

    def _edited(self, text: str, changes: Mapping[Setting, int | str | bool]) -> str:
        try:
            return edited(text, changes)
        except (tomllib.TOMLDecodeError, RecursionError, KeyError, TypeError) as error:
            self._load(text.encode())  # says where the mistake is
            raise RefusedError(f"{self._path} has no table for this any more; nothing was changed") from error

    def _judge(self, in_force: Config, content: bytes) -> None:
        self._follows(in_force, self._load(content), insist=False)

    def _load(self, content: bytes) -> Config:
        assert self._path is not None
        instead = {self._path: content}
        return load(self._path, environment=self._environment, overrides=self._overrides, instead=instead)

    def _follows(self, in_force: Config, config: Config, *, insist: bool) -> Config:
        vanished = [
            name for name, worker in in_force.workers.items() if name not in config.workers and worker.replicas > 0
        ]
        if vanished and not insist:
            names = ", ".join(f"workers.{name}" for name in vanished)
            raise ConfigurationError(
                [f"{self._path}:{self._last_line()}: {names} vanished; set replicas = 0 first, or insist with SIGHUP"]
            )
        return config

    def _last_line(self) -> int:
        """Return the number of the file's last line: where a truncation shows."""
        assert self._path is not None  # or nothing could have been read
        return max(1, len(self._path.read_bytes().splitlines()))

    def files(self, in_force: Config) -> set[Path]:
        """Return every file whose change may matter."""
        found = set(in_force.sources)
        if self._path is not None:
            found |= {self._path.absolute(), *key_files(self._path.absolute())}
        return found
