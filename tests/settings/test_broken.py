"""Two hundred broken files: each is refused, and each says where."""

import random
import re
from pathlib import Path

import pytest

from scripts.benchmarks.breaking import broken_edits
from supervisor.core.errors import ConfigurationError
from supervisor.settings.reload import Source
from supervisor.settings.shipped import shipped
from tests.settings.test_shipped import SECRETS

pytestmark = pytest.mark.slow


def test_two_hundred_broken_edits_are_refused_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    good = re.sub(r'client_secret_env = "\w+"', 'client_secret = "hush"', shipped("development.toml")).encode()
    path.write_bytes(good)
    path.chmod(0o600)
    source = Source(path, SECRETS, {})
    running = source.read()
    kinds = set()
    for each in broken_edits(good, path, 200, random.Random(3)):
        path.unlink(missing_ok=True)
        if each.content is not None:
            path.write_bytes(each.content)
        with pytest.raises(ConfigurationError) as caught:
            source.reread(running, insist=False)
        assert caught.value.problems
        assert [text for text in caught.value.problems if not re.match(each.expected(path), text)] == [], each
        kinds.add(each.kind)
    assert kinds == {"truncated", "wrong type", "unknown name", "garbage", "empty", "deleted"}
