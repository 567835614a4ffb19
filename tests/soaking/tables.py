"""Databases as a drained program leaves them, made by its own migrations, for auditors to look at."""

import sqlite3
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ENGINE, RESULTS = ROOT / "supervisor" / "database" / "migrations", ROOT / "jobs" / "migrations"
DEEDS = ROOT / "scripts" / "benchmarks" / "packages" / "deeds" / "migrations"


def state(folder: Path) -> Path:
    """Make a state folder with both empty databases."""
    folder.mkdir(parents=True)
    for file, sources in (("gatherer", (ENGINE, RESULTS, DEEDS)), ("market", (RESULTS / "market",))):
        database = sqlite3.connect(folder / f"{file}.db")
        scripts = [script.read_text() for source in sources for script in sorted(source.glob("*.sql"))]
        database.executescript("PRAGMA synchronous = OFF; BEGIN;" + "\n".join(scripts) + "COMMIT;")
        database.close()
    return folder


def write(folder: Path, sql: str, *values: Any, file: str = "gatherer") -> None:
    """Change one of the databases."""
    database = sqlite3.connect(folder / f"{file}.db")
    with database:
        database.execute(sql, values)
    database.close()


def job(folder: Path, kind: str, entity: str, job_state: str, **columns: Any) -> None:
    """Add a job; a finished one has ended at 100 unless it says otherwise."""
    if job_state in ("completed", "discarded", "cancelled"):
        columns = {"finished_at": 100.0} | columns
    row = {
        "kind": kind,
        "entity": entity,
        "state": job_state,
        "priority": 1,
        "run_at": 0.0,
        "created_at": 0.0,
    } | columns
    marks = ", ".join("?" * len(row))
    write(folder, f"INSERT INTO jobs ({', '.join(row)}) VALUES ({marks})", *row.values())
