"""A disk of a few megabytes that a test can fill, empty and make read-only: a tmpfs. Mounting needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BALLAST = "ballast"


class SmallDisk:
    """A mounted disk. path: where."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, leave_bytes: int = 0) -> None:
        """Leave so much free, rounded down to pages."""
        with (self.path / BALLAST).open("ab") as ballast:
            page = b"\xff" * 4096
            while self.free_bytes() > leave_bytes:
                try:
                    os.write(ballast.fileno(), page)
                except OSError:
                    return

    def make_room(self) -> None:
        """Take back what `fill` took."""
        (self.path / BALLAST).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Return what is free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def make_read_only(self) -> None:
        """Refuse writes from now on. Nobody may have a file open for writing."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True)

    def make_writable(self) -> None:
        """Take writes again."""
        subprocess.run(["mount", "-o", "remount,rw", str(self.path)], check=True)


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one at `path`; skips the test where that is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk: {mounted.stderr.decode().strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
