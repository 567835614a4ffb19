"""The files: ours, one process at a time, never recreated."""

import sqlite3
from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.database import opening
from supervisor.database.packages import load
from supervisor.database.reader import Reader
from tests.database.bench import PACKAGE, Bench


def test_state_has_one_database_process(tmp_path: Path) -> None:
    files = opening.open_files(tmp_path, opening.lock(tmp_path))
    with pytest.raises(UnavailableError, match="held by another"):
        opening.lock(tmp_path)
    files.close()
    opening.open_files(tmp_path, opening.lock(tmp_path)).close()


@pytest.mark.parametrize("name", ["gatherer.db", "market.db"])
def test_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"my diary\n" * 1000)
    with pytest.raises(ConfigurationError, match=name):
        opening.open_files(tmp_path, opening.lock(tmp_path))
    assert (tmp_path / name).read_bytes() == b"my diary\n" * 1000


def test_database_of_another_program_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "gatherer.db")
    other.execute("CREATE TABLE songs (title)")
    other.close()
    with pytest.raises(ConfigurationError, match="another program"):
        opening.open_files(tmp_path, opening.lock(tmp_path))


def test_commits_survive_a_power_cut(tmp_path: Path) -> None:
    files = opening.open_files(tmp_path, opening.lock(tmp_path))
    for schema in ("main", "market"):
        assert files.connection.execute(f"PRAGMA {schema}.journal_mode").fetchone() == ("wal",)
        assert files.connection.execute(f"PRAGMA {schema}.synchronous").fetchone() == (2,)
    assert files.fresh
    files.close()


def test_package_is_read_from_its_folder() -> None:
    package = load(PACKAGE)
    assert package.patterns == {"towns": "region/name:town", "markets": "region/number", "rounds": "word:of"}
    assert "town_weather" in package.statements
    assert [migration.name for migration in package.market_migrations] == ["stalls"]


@pytest.mark.parametrize(
    "text", ["[towns", "[towns]\n", "towns = 1", '[towns]\nentity = "region/planet"', "[towns]\nentity = 3"]
)
def test_manifest_that_says_nothing_useful_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"manifest\.toml"):
        load(tmp_path)


async def test_read_that_takes_too_long_is_interrupted_and_the_next_is_served(bench: Bench) -> None:
    reader = Reader(bench.folder, read_for_s=0.2)
    await reader.start()
    with pytest.raises(UnavailableError, match="longer than"):
        await reader.rows("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
    assert await reader.rows("SELECT 1 AS one") == [{"one": 1}]
    await reader.stop()
    await reader.stop()


async def test_reader_cannot_write(bench: Bench) -> None:
    reader = Reader(bench.folder)
    await reader.start()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await reader.rows("DELETE FROM jobs")
    await reader.stop()
