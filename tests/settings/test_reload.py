"""An edit is followed; a file that lost its tables is not taken for a wish."""

from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError
from supervisor.settings.reload import Source

TEXT = """
[apis.blizzard]
[[keys]]
name = "k"
tags = ["osint"]
client_id = "id"
client_secret = "secret"
[workers.characters]
job = "jobs.characters"
tag = "osint"
concurrency = 2
"""
SECOND = '[workers.guilds]\njob = "jobs.guilds"\ntag = "osint"\n'


def source(tmp_path: Path, text: str) -> tuple[Source, Path]:
    file = tmp_path / "config.toml"
    file.write_text(text)
    file.chmod(0o600)
    return Source(file, {}, {}), file


def test_edit_is_read(tmp_path: Path) -> None:
    origin, file = source(tmp_path, TEXT)
    before = origin.read()
    file.write_text(TEXT.replace("concurrency = 2", "concurrency = 3"))
    assert origin.reread(before, insist=False).workers["characters"].concurrency == 3


def test_vanished_worker_is_refused_unless_a_person_insists(tmp_path: Path) -> None:
    origin, file = source(tmp_path, TEXT + SECOND)
    before = origin.read()
    file.write_text(TEXT)
    with pytest.raises(ConfigurationError, match=r"workers\.guilds vanished"):
        origin.reread(before, insist=False)
    assert "guilds" not in origin.reread(before, insist=True).workers


def test_worker_that_was_scaled_to_zero_may_go(tmp_path: Path) -> None:
    origin, file = source(tmp_path, TEXT + SECOND + "replicas = 0\n")
    before = origin.read()
    file.write_text(TEXT)
    assert "guilds" not in origin.reread(before, insist=False).workers
