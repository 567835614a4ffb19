"""What is built: which files, which version, which commit."""

import hashlib
import subprocess
from pathlib import Path

from supervisor import __version__

VERSION = __version__
INPUTS = ("supervisor", "jobs", "config", "scripts/packaging", "pyproject.toml", "docs/operations.md", "CHANGELOG.md")


def fingerprint() -> str:
    """Return a hash of everything that goes in; equal = the same result."""
    sha256 = hashlib.sha256(commit().encode())
    for name in sorted(_git("ls-files", "--cached", "--others", "--exclude-standard", "--", *INPUTS).splitlines()):
        if Path(name).is_file():
            sha256.update(name.encode() + hashlib.sha256(Path(name).read_bytes()).digest())
    return sha256.hexdigest()


def commit() -> str:
    """Return the commit that last touched what goes in; with "-changed" when there is more than that."""
    found = _git("log", "-1", "--format=%h", "--abbrev=12", "--", *INPUTS).strip()
    return f"{found}-changed" if _git("status", "--porcelain", "--", *INPUTS).strip() else found


def committed_at() -> str:
    """Return the Unix time of that commit, for every file in the packages: the same source makes the same bytes."""
    return _git("log", "-1", "--format=%ct", "--", *INPUTS).strip()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout
