"""Look for the secrets of the tests in everything that a run has left behind.

The simulated API's clients have one secret, and its tokens one shape, so neither can be anywhere by chance.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.benchmarks.configuration import SECRET

TOKEN = rb"EU[0-9a-f]{32}"
LEAK = re.compile(re.escape(SECRET.encode()) + rb"|" + TOKEN)
# What a person has written, or copied as it was: configurations, .env files, secrets.
WRITTEN = {".toml", ".secret", ".env", ".new", ".before"}
# Where the secret of the tests stands in the sources, of which some tests make a copy.
SOURCE = "scripts/benchmarks/configuration.py"
AROUND = 60


def leaks_in(content: bytes) -> Iterator[str]:
    """Yield each secret with what stands around it, the secret itself masked."""
    for found in LEAK.finditer(content):
        around = content[max(0, found.start() - AROUND) : found.start()] + b"****" + content[found.end() :][:AROUND]
        yield repr(around)


def leaks_under(folder: Path) -> Iterator[str]:
    """Yield a line for each secret in the files under `folder`: logs, databases, journals, whatever was written."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.suffix in WRITTEN:
            continue
        if not path.as_posix().endswith(SOURCE):
            yield from (f"{path}: {leak}" for leak in leaks_in(path.read_bytes()))
