"""Backups: one moment of both files, complete or absent; restored only when whole; taken before migrations."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError, RefusedError
from supervisor.database import backup, opening, restoring, schema
from supervisor.database.damage import NoRoomError
from supervisor.database.migrations import Migration, is_behind
from tests.database.bench import Bench
from tests.support.small_disk import small_disk

NOW = 1_800_000_000.0
LATER = Migration(number=9999, name="later", text="CREATE TABLE later (x INTEGER) STRICT;", sha256="")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def entities(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = [entity for (entity,) in connection.execute("SELECT entity FROM jobs ORDER BY entity")]
    connection.close()
    return found


def start(folder: Path) -> None:
    """Open as a start does, and stop."""
    lock = opening.lock(folder)
    try:
        opening.open_files(folder, lock).close()
    except ConfigurationError:
        os.close(lock)
        raise


def test_backup_holds_the_moment_at_which_it_was_pinned(bench: Bench) -> None:
    bench.enqueue("eu/paris")
    pinned = backup.pin(bench.folder)
    bench.enqueue("eu/rome")
    folder = backup.copy(pinned, bench.folder, NOW)
    assert entities(folder / "gatherer.db") == ["eu/paris"]
    assert (folder / "market.db").exists()
    assert folder.stat().st_mode & 0o77 == 0


def test_backup_that_fails_leaves_nothing(bench: Bench) -> None:
    (bench.folder / "limiter.journal").mkdir()  # in the way
    with pytest.raises(OSError, match="Is a directory"):
        backup.copy(backup.pin(bench.folder), bench.folder, NOW)
    assert list((bench.folder / "backups").iterdir()) == []


def test_backups_of_the_same_second_have_names_of_their_own(bench: Bench) -> None:
    first, second = (backup.copy(backup.pin(bench.folder), bench.folder, NOW) for _ in range(2))
    assert sorted(path.name for path in first.parent.iterdir()) == sorted([first.name, second.name])


def test_backup_with_history_is_taken_for_whole(tmp_path: Path) -> None:
    """SQLite 3.40 says of each row of such a table that it has a NULL."""
    bench = Bench(tmp_path)
    bench.db.execute(
        "CREATE TABLE history (entity TEXT, kind TEXT, before TEXT NOT NULL, seen REAL, "
        "PRIMARY KEY (entity, seen, kind)) WITHOUT ROWID"
    )
    bench.db.execute("INSERT INTO history VALUES ('eu/a', 'NAME', 'b', 1.0)")
    folder = backup.copy(backup.pin(tmp_path), tmp_path, NOW)
    bench.close()
    restoring.restore(folder, tmp_path, NOW + 5)


def test_restore_puts_the_backup_in_place_and_moves_aside_what_was_there(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.enqueue("eu/paris")
    folder = backup.copy(backup.pin(tmp_path), tmp_path, NOW)
    bench.enqueue("eu/rome")
    bench.close()
    aside = restoring.restore(folder, tmp_path, NOW + 5)
    assert entities(tmp_path / "gatherer.db") == ["eu/paris"]
    assert entities(aside / "gatherer.db") == ["eu/paris", "eu/rome"]


@pytest.mark.parametrize("renames", range(6))
def test_restore_that_was_killed_leaves_a_whole_state_or_one_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    """Whatever it had moved: no start takes half of it for a state, and restoring again puts it right."""
    bench = Bench(tmp_path)
    bench.enqueue("eu/paris")
    folder = backup.copy(backup.pin(tmp_path), tmp_path, NOW)
    bench.enqueue("eu/rome")
    killed = tmp_path / "killed"
    killed.mkdir()
    for path in (*tmp_path.glob("*.db"), *tmp_path.glob("*-wal")):  # as after a crash: the last job is in the log
        shutil.copy(path, killed / path.name)
    bench.close()
    rename, left = os.rename, iter(range(renames))

    def kill(source: object, target: object, **more: object) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        rename(source, target)  # type: ignore[arg-type]  # passed through

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", kill)
        with pytest.raises(KeyboardInterrupt):
            restoring.restore(folder, killed, NOW + 5)
    try:
        start(killed)
    except ConfigurationError as error:
        assert "although" in str(error)
    else:
        assert entities(killed / "gatherer.db") in (["eu/paris"], ["eu/paris", "eu/rome"])
    restoring.restore(folder, killed, NOW + 10)
    start(killed)
    assert entities(killed / "gatherer.db") == ["eu/paris"]
    assert list(killed.glob("*.restoring")) == []


def test_restore_keeps_the_journal_that_is_there(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "limiter.journal").write_text("old")
    folder = backup.copy(backup.pin(tmp_path), tmp_path, NOW)
    bench.close()
    (tmp_path / "limiter.journal").write_text("what was sent since")
    restoring.restore(folder, tmp_path, NOW + 5)
    assert (tmp_path / "limiter.journal").read_text() == "what was sent since"
    (tmp_path / "limiter.journal").unlink()
    restoring.restore(folder, tmp_path, NOW + 10)
    assert (tmp_path / "limiter.journal").read_text() == "old"


def test_damaged_backup_is_refused_and_nothing_has_changed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.enqueue("eu/paris")
    folder = backup.copy(backup.pin(tmp_path), tmp_path, NOW)
    bench.close()
    content = bytearray((folder / "gatherer.db").read_bytes())
    content[4096:20_000] = b"\xff" * (20_000 - 4096)
    (folder / "gatherer.db").write_bytes(content)
    with pytest.raises(RefusedError, match="another backup"):
        restoring.restore(folder, tmp_path, NOW + 5)
    assert entities(tmp_path / "gatherer.db") == ["eu/paris"]
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]


def test_only_the_last_automatic_backups_are_kept_and_all_of_the_others(bench: Bench) -> None:
    asked = backup.copy(backup.pin(bench.folder), bench.folder, NOW - 100)
    made = [backup.before_migrations(bench.folder, NOW + n) for n in range(5)]
    assert sorted(asked.parent.iterdir()) == [asked, *made[2:]]


@pytest.mark.slow  # mounts a disk
def test_full_disk_stops_the_migration_until_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "state", 4) as disk:
        bench = Bench(disk.path)
        bench.enqueue("eu/paris")
        disk.fill()
        with pytest.raises(NoRoomError, match="make room"):
            backup.before_migrations(disk.path, NOW)
        with pytest.raises((OSError, sqlite3.OperationalError), match=r"No space left|disk is full|disk I/O"):
            backup.copy(backup.pin(disk.path), disk.path, NOW)
        assert list(disk.path.glob("backups/*")) == []
        disk.make_room()
        assert entities(backup.before_migrations(disk.path, NOW) / "gatherer.db") == ["eu/paris"]
        bench.close()


def test_backup_without_room_stops_the_migration(bench: Bench) -> None:
    (bench.folder / "backups").write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot back up before migrating"):
        backup.before_migrations(bench.folder, NOW)


def test_only_tables_that_may_hold_something_are_backed_up(bench: Bench) -> None:
    packages = bench.workers.packages()
    path = bench.files.market_path
    assert not schema.is_old(bench.db, packages=packages, market_path=path)
    packages[0].migrations.append(LATER)
    assert schema.is_old(bench.db, packages=packages, market_path=path)
    assert not is_behind(bench.db, "a package that is new here", [LATER])
