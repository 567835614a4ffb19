"""When the database process refuses to start: nothing is touched, and the reason is told."""

import sqlite3
from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError, UnavailableError
from tests.process.test_database import Linked

pytestmark = pytest.mark.slow


async def test_second_database_on_the_same_state_is_refused(tmp_path: Path) -> None:
    linked = Linked(tmp_path)
    await linked.database.start()
    with pytest.raises(UnavailableError, match="held by another"):
        await Linked(linked.folder).database.start()
    assert await linked.enqueue("eu/a") == [1]
    await linked.stop()


async def test_file_that_is_no_database_refuses_the_start_and_is_kept(tmp_path: Path) -> None:
    (tmp_path / "gatherer.db").write_text("my diary\n" * 1000)
    with pytest.raises(ConfigurationError, match=r"gatherer\.db.*not a database"):
        await Linked(tmp_path).database.start()
    assert (tmp_path / "gatherer.db").read_text().startswith("my diary")


async def test_newer_schema_refuses_the_start(tmp_path: Path) -> None:
    linked = Linked(tmp_path)
    await linked.database.start()
    await linked.stop()
    db = sqlite3.connect(tmp_path / "gatherer.db")
    db.execute("INSERT INTO migrations VALUES ('engine', 99, 'future', '', 0)")
    db.commit()
    db.close()
    with pytest.raises(ConfigurationError, match="engine/0099_future, which is newer"):
        await Linked(tmp_path).database.start()
