"""Damaged, missing and foreign files: refused with what to do, and never touched."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError
from supervisor.database import backup, opening, restoring
from supervisor.database.damage import find_damaged
from tests.database.bench import Bench

NOW = 1_800_000_000.0
PAGE = 4096


@pytest.fixture
def state(tmp_path: Path, template: Path) -> Path:
    """A closed state with a job in it."""
    for name in ("gatherer.db", "market.db"):
        shutil.copy(template / name, tmp_path / name)
    bench = Bench(tmp_path)
    for n in range(500):
        bench.enqueue(f"eu/town{n}")
    bench.close()
    return tmp_path


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.endswith((".db", "-wal"))}


def assert_refused(state: Path, match: str) -> None:
    before = contents(state)
    with pytest.raises(ConfigurationError, match=match) as raised:
        opening.open_files(state, opening.lock(state))
    assert "gatherer restore" in str(raised.value)
    assert raised.value.exit_code == 78
    assert contents(state) == before


@pytest.mark.parametrize("name", ["gatherer.db", "market.db"])
@pytest.mark.parametrize("offset", [0, 100], ids=["header", "schema"])
def test_damaged_head_is_refused(state: Path, name: str, offset: int) -> None:
    overwrite(state / name, offset, b"\x5a" * 64)
    assert_refused(state, rf"{name}: damaged, or not a database")


@pytest.mark.parametrize("name", ["gatherer.db", "market.db"])
def test_truncated_file_is_refused(state: Path, name: str) -> None:
    truncate(state / name, (state / name).stat().st_size // PAGE // 2 * PAGE)
    assert_refused(state, rf"{name}: damaged")


@pytest.mark.parametrize("name", ["gatherer.db", "market.db"])
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_file_that_was_there_is_never_made_anew(state: Path, name: str, how: str) -> None:
    if how == "missing":
        (state / name).unlink()
    else:
        truncate(state / name, 0)
    assert_refused(state, rf"{name}: {how}, although .* shows that it was there")


def test_backup_alone_shows_that_there_was_a_state(state: Path) -> None:
    backup.copy(backup.pin(state), state, NOW)
    for name in ("gatherer.db", "market.db"):
        (state / name).unlink()
    assert_refused(state, r"gatherer\.db: missing, although .*/backups/")


def test_log_without_its_database_is_kept(state: Path) -> None:
    for name in ("gatherer.db", "market.db"):
        (state / name).unlink()
    (state / "gatherer.db-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\0" * 5000)
    assert_refused(state, r"gatherer\.db: missing, although .*gatherer\.db-wal")


@pytest.mark.parametrize("name", ["gatherer.db", "market.db"])
def test_log_that_begins_with_garbage_is_refused(state: Path, name: str) -> None:
    (state / f"{name}-wal").write_bytes(b"my diary\n" * 1000)
    assert_refused(state, rf"{name}-wal: damaged")


@pytest.mark.parametrize("log", [b"", b"\0" * 32, b"\0" * 8192], ids=["empty", "head", "zeros"])
def test_log_that_was_never_written_is_in_order(state: Path, log: bytes) -> None:
    (state / "gatherer.db-wal").write_bytes(log)
    files = opening.open_files(state, opening.lock(state))
    assert not files.fresh
    files.close()


def test_log_of_a_crash_is_in_order_and_read(state: Path, tmp_path: Path) -> None:
    bench = Bench(state)
    bench.enqueue("eu/last")
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for path in (*state.glob("*.db"), *state.glob("*-wal")):
        shutil.copy(path, crashed / path.name)
    bench.close()
    assert (crashed / "gatherer.db-wal").stat().st_size > 0
    files = opening.open_files(crashed, opening.lock(crashed))
    assert files.connection.execute("SELECT count(*) FROM jobs WHERE entity = 'eu/last'").fetchone() == (1,)
    files.close()


def test_page_in_the_middle_is_found_by_a_backup_and_none_is_left(state: Path) -> None:
    overwrite(state / "gatherer.db", leaf_of(state / "gatherer.db", "jobs"), b"\xff" * PAGE)
    assert find_damaged(state) == ["gatherer.db"]
    with pytest.raises(sqlite3.DatabaseError, match=r"gatherer\.db: damaged|malformed"):
        backup.copy(backup.pin(state), state, NOW)
    assert list((state / "backups").iterdir()) == []


@pytest.mark.parametrize("name", ["gatherer.db", "market.db"])
def test_person_may_begin_without_one_file(state: Path, name: str) -> None:
    overwrite(state / name, 0, b"\x5a" * 64)
    damaged = (state / name).read_bytes()
    aside = restoring.begin_empty(name, state, NOW)
    assert (aside / name).read_bytes() == damaged
    files = opening.open_files(state, opening.lock(state))
    assert files.fresh == (name == "gatherer.db")
    files.close()


def leaf_of(path: Path, table: str) -> int:
    """Return where a page of the table's rows begins."""
    connection = sqlite3.connect(path)
    query = "SELECT max(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'"
    (page,) = connection.execute(query, (table,)).fetchone()
    connection.close()
    return int((page - 1) * PAGE)
