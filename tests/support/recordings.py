"""Recorded bodies of the real API, which are not part of the repository.

They lie in a folder `shared/blizzard` beside the repository or above it, or where $GATHERER_RECORDINGS says. Tests
that need them carry the mark `needs_recordings` and skip without them.
"""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
VARIABLE = "GATHERER_RECORDINGS"


def folder() -> Path | None:
    """Return where the recordings are, None when there are none."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named) if Path(named).is_dir() else None
    beside = (above / "shared" / "blizzard" for above in REPOSITORY.parents)
    return next((path for path in beside if path.is_dir()), None)


@lru_cache(maxsize=64)
def recording(relative_path: str) -> Any:
    """Return a recorded body, parsed, of "item/eu_18803_2019-12-20.json" or the like. Do not change it.

    A pattern ("character-pets/eu_*.json") means its first match: many files are named after a player or a guild, and
    those names stay out of the repository.
    """
    return json.loads(recording_bytes(relative_path))


def recording_bytes(relative_path: str) -> bytes:
    """Return a recorded body as it was sent (compact JSON, without the newline at the end of the file)."""
    found = folder()
    assert found is not None, f"no recordings; set ${VARIABLE} or mark the test needs_recordings"
    matches = sorted(found.glob(relative_path))
    assert matches, f"no recording {relative_path} in {found}"
    return matches[0].read_bytes().rstrip(b"\n")


needs_recordings = pytest.mark.skipif(folder() is None, reason=f"no recorded bodies here (set ${VARIABLE})")
