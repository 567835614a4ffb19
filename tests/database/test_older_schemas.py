"""From every older schema: what was stored survives, a backup of before it restores, and a kill leaves no mixture."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.database_settings import WorkerSettings
from supervisor.core.errors import ConfigurationError
from supervisor.core.messages.supervisor_database import DatabaseSettings
from supervisor.database import opening, restoring
from supervisor.database.migrations import Migration, find, migrate_all
from supervisor.database.packages import load
from supervisor.database.schema import ENGINE, migrate_schema
from tests.database.bench import PACKAGE, Desk
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

JOBS = Path(__file__).parents[2] / "jobs"
ENGINE_MIGRATIONS = find(Path(opening.__file__).parent / "migrations")
JOBS_MIGRATIONS = find(JOBS / "migrations")
MARKET_MIGRATIONS = find(JOBS / "migrations" / "market")
ROWS = 3
NOW = 1_800_000_000.0
# A job has rules that invented values do not keep.
JOB = {"priority": 1, "state": "completed", "lease": 0, "args": "{}", "again": None, "again_id": None, "replica": None}

Content = dict[str, list[tuple[Any, ...]]]


def older() -> list[tuple[int, int, int]]:
    """Return (engine, jobs, market) of every state that some earlier program has left: how many migrations of each."""
    engine, jobs, market = len(ENGINE_MIGRATIONS), len(JOBS_MIGRATIONS), len(MARKET_MIGRATIONS)
    before_engine = [(n, jobs, market) for n in range(1, engine)]
    before_jobs = [(engine, n, market) for n in range(1, jobs)]
    before_market = [(engine, jobs, n) for n in range(1, market)]
    return [*before_engine, *before_jobs, *before_market]


def build(folder: Path, engine: int, jobs: int, market: int) -> dict[str, Content]:
    """Make a state of an earlier program with rows in every table; return them."""
    known: dict[str, list[Migration]] = {ENGINE: ENGINE_MIGRATIONS[:engine], "jobs": JOBS_MIGRATIONS[:jobs]}
    files = opening.open_files(folder, opening.lock(folder))
    migrate_all(files.connection, known, now=NOW)
    files.close()
    connection = opening.connect(folder / "market.db")
    migrate_all(connection, {"jobs": MARKET_MIGRATIONS[:market]}, now=NOW)
    connection.close()
    for name in ("gatherer.db", "market.db"):
        fill(folder / name)
    return read(folder)


def fill(path: Path) -> None:
    connection = sqlite3.connect(path)
    for table in tables(connection):
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        for row in range(1, ROWS + 1):
            invented = {name: value(name, kind, row) for _, name, kind, *_ in columns}
            if table == "jobs":
                invented |= JOB
            marks = ", ".join("?" for _ in invented)
            insert = f"INSERT OR REPLACE INTO {table} ({', '.join(invented)}) VALUES ({marks})"
            connection.execute(insert, list(invented.values()))
    connection.commit()
    connection.close()


def value(name: str, kind: str, row: int) -> Any:
    return {"INTEGER": row, "REAL": NOW + row, "BLOB": b"x" * row}.get(kind, f"{name} {row}")


def tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return sorted(name for (name,) in connection.execute(query) if name not in ("migrations", "job_counts", "engine"))


def read(folder: Path) -> dict[str, Content]:
    """Return the rows of every table of both files, by the columns they have."""
    found = {}
    for name in ("gatherer.db", "market.db"):
        connection = sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True)
        found[name] = {table: rows(connection, table, columns(connection, table)) for table in tables(connection)}
        connection.close()
    return found


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [column for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")]


def rows(connection: sqlite3.Connection, table: str, names: list[str]) -> list[tuple[Any, ...]]:
    return sorted(connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall(), key=repr)


def numbers(folder: Path) -> list[tuple[str, int]]:
    found = []
    for name in ("gatherer.db", "market.db"):
        connection = sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True)
        found += connection.execute("SELECT package, number FROM migrations ORDER BY 1, 2").fetchall()
        connection.close()
    return found


def of_jobs() -> DatabaseSettings:
    return DatabaseSettings(workers=[WorkerSettings(name="characters", kind="characters", package=str(JOBS))])


@pytest.mark.parametrize("schema", older(), ids=lambda schema: "engine{}-jobs{}-market{}".format(*schema))
async def test_rows_of_every_older_schema_survive_and_its_backup_restores(
    tmp_path: Path, clock: FakeClock, schema: tuple[int, int, int]
) -> None:
    before, numbers_before = build(tmp_path, *schema), numbers(tmp_path)
    desk = Desk(tmp_path, clock)
    await desk.service.start(of_jobs())
    await desk.stop()
    assert len(numbers(tmp_path)) == len(ENGINE_MIGRATIONS) + len(JOBS_MIGRATIONS) + len(MARKET_MIGRATIONS)
    for name, content in before.items():
        connection = sqlite3.connect(tmp_path / name)
        for table, kept in content.items():
            names = columns(connection, table)[: len(kept[0])]
            assert rows(connection, table, names) == kept, table
        connection.close()
    (backup,) = (tmp_path / "backups").glob("*-before-migrations")
    restoring.restore(backup, tmp_path, NOW)
    assert (read(tmp_path), numbers(tmp_path)) == (before, numbers_before)


def test_present_schema_needs_no_backup(tmp_path: Path) -> None:
    build(tmp_path, len(ENGINE_MIGRATIONS), len(JOBS_MIGRATIONS), len(MARKET_MIGRATIONS))
    files = opening.open_files(tmp_path, opening.lock(tmp_path))
    migrated = migrate_schema(files.connection, NOW, packages=[load(JOBS)], market_path=files.market_path)
    assert [name for each in migrated for name in each.applied] == []
    files.close()


@pytest.mark.parametrize(("name", "package"), [("gatherer.db", ENGINE), ("gatherer.db", "jobs"), ("market.db", "jobs")])
async def test_newer_schema_of_either_file_is_refused_before_anything_changes(
    tmp_path: Path, clock: FakeClock, name: str, package: str
) -> None:
    build(tmp_path, len(ENGINE_MIGRATIONS), 3, len(MARKET_MIGRATIONS))
    connection = sqlite3.connect(tmp_path / name)
    connection.execute("INSERT INTO migrations VALUES (?, 9999, 'future', '', 0)", (package,))
    connection.commit()
    connection.close()
    before = numbers(tmp_path)
    desk = Desk(tmp_path, clock)
    with pytest.raises(ConfigurationError, match=f"{package}/9999_future, which is newer than this program"):
        await desk.service.start(of_jobs())
    await desk.stop()
    assert numbers(tmp_path) == before
    assert not (tmp_path / "backups").exists()


ENDLESS = """CREATE TABLE slow_first (n INTEGER);
CREATE TABLE slow_second AS WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i{0})
    SELECT n, hex(zeroblob(200)) AS x FROM i;"""

START = """
import asyncio, sys
from pathlib import Path
from random import Random
from supervisor.core.clock import SystemClock
from supervisor.core.database_settings import WorkerSettings
from supervisor.core.messages.supervisor_database import DatabaseSettings
from supervisor.database.service import Service
folder, package = Path(sys.argv[1]), sys.argv[2]
service = Service(state_dir=folder, run_dir=folder, clock=SystemClock(), random=Random(), supervisor="", pid=1,
                  send=lambda message: None)
workers = [WorkerSettings(name="towns", kind="towns", package=package)]
async def main():
    await service.start(DatabaseSettings(workers=workers))
    await service.stop()
asyncio.run(main())
"""


def start(folder: Path, package: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", START, str(folder), str(package)])


@pytest.mark.slow
@pytest.mark.parametrize("file", ["gatherer.db", "market.db"])
async def test_killed_migration_leaves_the_old_schema_and_the_next_start_finishes_it(tmp_path: Path, file: str) -> None:
    package, state = tmp_path / "package", tmp_path / "state"
    state.mkdir()
    shutil.copytree(PACKAGE, package)
    assert start(state, package).wait(30) == 0
    folder = package / "migrations" / ("market" if file == "market.db" else "")
    (folder / "0002_quick.sql").write_text("CREATE TABLE quick (n INTEGER);")
    (folder / "0003_slow.sql").write_text(ENDLESS.format(""))
    process = start(state, package)
    log = state / f"{file}-wal"
    try:
        await eventually(lambda: log.exists() and log.stat().st_size, lambda size: size > 1_000_000, within_s=30)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait, 10)
    before = numbers(state)
    assert [number for name, number in before if name == "package"] == [1, 1]
    connection = sqlite3.connect(f"file:{state / file}?mode=ro", uri=True)
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert not found & {"quick", "slow_first", "slow_second"}
    (folder / "0003_slow.sql").write_text(ENDLESS.format(" WHERE n < 10"))
    assert start(state, package).wait(60) == 0
    assert len(numbers(state)) == len(before) + 2
