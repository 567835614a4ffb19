"""What the tests of packages need: the packages, built once by scripts/build and used again while nothing changed."""

import subprocess
from pathlib import Path

import pytest

from scripts.packaging import needs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dist() -> Path:
    """The folder with what scripts/build makes, up to date."""
    if missing := needs.missing():
        pytest.skip(f"scripts/build needs {'; '.join(missing)}")
    done = subprocess.run([ROOT / "scripts" / "build"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "dist"


@pytest.fixture(scope="session")
def deb(dist: Path) -> Path:
    """The Debian package."""
    return next(dist.glob("*.deb"))
