"""What exactly is running: our version and commit, and what decides how it behaves beneath."""

import platform
import sqlite3
from pathlib import Path

from supervisor import __version__

# scripts/build writes it; a checkout has none.
COMMIT_FILE = Path(__file__).parents[1] / "commit.txt"


def version_line() -> str:
    """Return "gatherer 0.1.0 (commit 0123abcd, Python 3.11.7, SQLite 3.40.1)"."""
    return f"gatherer {__version__} ({_commit()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})"


def _commit() -> str:
    try:
        return f"commit {COMMIT_FILE.read_text(encoding='ascii').strip()}"
    except FileNotFoundError:
        return "a checkout"
