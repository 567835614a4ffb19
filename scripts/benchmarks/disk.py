"""What the disk gives: how often a second it makes an append last."""

import os
import time
from pathlib import Path

# One page and its head, which is what a commit of one changed page appends to SQLite's log.
FRAME = b"\0" * (4096 + 24)
MEASURED_S = 1.0


def must_be_a_disk(folder: Path) -> None:
    """Raise SystemExit when files in `folder` are in memory only: there fsync costs nothing."""
    folder = folder.absolute()
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(len(place), kind) for place, kind in mounts if folder.is_relative_to(place)]
    _, kind = max(above)
    if kind in ("tmpfs", "ramfs"):
        raise SystemExit(f"{folder} is on a {kind}: measured there, nothing is said of a disk")


def fsyncs_per_s(folder: Path) -> float:
    """Return how often a second a frame can be appended and brought to the disk, one after the other."""
    path = folder / "fsyncs"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        began, times = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < MEASURED_S:
            os.write(fd, FRAME)
            os.fdatasync(fd)
            times += 1
    finally:
        os.close(fd)
        path.unlink()
    return times / spent
