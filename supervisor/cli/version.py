"""What exactly is running: our version and commit, and what decides how it behaves beneath."""

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# scripts/build writes it; a checkout has none.
COMMIT_FILE = Path(__file__).parents[1] / "commit.txt"


def version_line() -> str:
    """Return "gatherer 0.1.0 (commit 0123abcd, Python 3.11.7, SQLite 3.40.1)"."""
    beneath = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"gatherer {_version()} ({_commit()}, {beneath})"


def _version() -> str:
    try:
        return version("gatherer")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def _commit() -> str:
    try:
        return f"commit {COMMIT_FILE.read_text(encoding='ascii').strip()}"
    except FileNotFoundError:
        return "a checkout"
