"""A folder with a configuration in it, and what loading it says."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError
from supervisor.settings.config import Config
from supervisor.settings.reading import load

KEY = """
[[keys]]
name = "osint-1"
tags = ["osint"]
client_id = "account-1"
client_secret = "hush"
"""
WORKER = """
[workers.characters]
job = "mine.characters"
path = "jobs"
tag = "osint"
"""
MINIMAL = KEY + WORKER


class Folder:
    """Write files, load `config.toml`, get the problems with the folder's name taken away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.toml"
        self.write("jobs/mine/characters.py", "")
        self.write("jobs/mine/guilds.py", "")

    def write(self, name: str, text: str | bytes, mode: int = 0o600) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    def load(
        self, text: str | bytes | None = None, environment: Mapping[str, str] | None = None, **overrides: str
    ) -> Config:
        if text is not None:
            self.write("config.toml", text)
        dotted = {name.replace("__", "."): value for name, value in overrides.items()}
        return load(self.config, environment=environment or {}, overrides=dotted)

    def problems(
        self, text: str | bytes | None = None, environment: Mapping[str, str] | None = None, **overrides: str
    ) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            self.load(text, environment, **overrides)
        return [self.short(problem) for problem in caught.value.problems]

    def warnings(self, text: str) -> list[str]:
        return [self.short(warning) for warning in self.load(text).warnings]

    def short(self, text: str) -> str:
        return text.replace(f"{self.path}/", "")
