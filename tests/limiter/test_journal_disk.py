"""The journal on a disk that is full, and after the power has failed at any moment."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from supervisor.core.errors import UnavailableError
from supervisor.core.events import Events
from supervisor.limiter.journal import FILE_BYTES, Journal
from supervisor.limiter.journal_page import PAGE_BYTES
from tests.support.clock import FakeClock
from tests.support.power.disks import SECTOR
from tests.support.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.slow

HOUR_S = 3600.0
CUTS = 12

SPEND = """
import sys
from pathlib import Path
from supervisor.core.clock import SystemClock
from supervisor.core.events import Events
from supervisor.limiter.journal import Journal
journal = Journal(Path(sys.argv[1]), clock=SystemClock(), events=Events())
for key in range(200):
    record, past = journal.open_record(bytes([key + 1]) * 32, 3600.0)
    assert past.origin == "new", past
    for n in range(50):
        record.charge(SystemClock().monotonic() + n, 1)
journal.close()
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "state", 16) as disk:
        yield disk


def opened(folder: Path, clock: FakeClock, boot: bytes = b"first boot......") -> Journal:
    return Journal(folder / "limiter.journal", clock=clock, events=Events(), boot_id=boot)


def test_first_start_on_a_full_disk_says_what_it_needs_and_leaves_nothing_to_mistake(
    disk: SmallDisk, clock: FakeClock
) -> None:
    disk.fill(leave_bytes=64 * 1024)
    with pytest.raises(UnavailableError, match=r"No space left on device; it needs [\d,]+ bytes, make room"):
        opened(disk.path, clock)
    assert not (disk.path / "limiter.journal").exists()
    disk.make_room()
    opened(disk.path, clock).close()


def test_every_page_can_be_used_when_the_disk_is_full(disk: SmallDisk, clock: FakeClock) -> None:
    opened(disk.path, clock).close()
    assert (disk.path / "limiter.journal").stat().st_blocks * 512 >= FILE_BYTES
    disk.fill()
    path = str(disk.path / "limiter.journal")
    ended = subprocess.run([sys.executable, "-c", SPEND, path], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")  # not -7, SIGBUS


def test_after_a_power_cut_what_was_synced_is_counted_or_the_key_is_spent(tmp_path: Path, clock: FakeClock) -> None:
    random = Random(1)
    path = tmp_path / "limiter.journal"
    journal = opened(tmp_path, clock)
    keys = [bytes([n]) * 32 for n in (1, 2, 3)]
    records = {key: journal.open_record(key, HOUR_S)[0] for key in keys}
    spent = dict.fromkeys(keys, 0)
    for cut in range(CUTS):
        journal.stamp()
        journal.sync()
        synced, counted = path.read_bytes(), dict(spent)
        for _ in range(random.randrange(200)):
            key = random.choice(keys)
            records[key].charge(clock.monotonic(), random.randrange(3))
            spent[key] += 1
            clock.set(clock.monotonic() + random.random() / 10)
        journal.stamp()
        left = tmp_path / f"cut{cut}"
        left.mkdir()
        (left / "limiter.journal").write_bytes(torn(synced, path.read_bytes(), random))
        after = opened(left, clock, boot=b"second boot.....")
        for key in keys:
            _, past = after.open_record(key, HOUR_S)
            assert past.origin == "restored"
            assert past.unflushed_s > 0.0  # what came after the sync is counted as unknown
            assert sum(requests for _, requests in past.charges) >= counted[key]
        after.close()
    journal.close()


@pytest.mark.parametrize("content", [b"", b"my diary\n" * 1000, bytes(FILE_BYTES)], ids=["empty", "garbage", "zeros"])
def test_file_that_is_none_counts_every_key_as_spent(tmp_path: Path, clock: FakeClock, content: bytes) -> None:
    (tmp_path / "limiter.journal").write_bytes(content)
    journal = opened(tmp_path, clock)
    _, past = journal.open_record(b"k" * 32, HOUR_S)
    assert past.origin == "damaged"
    journal.close()


def torn(before: bytes, now: bytes, random: Random) -> bytes:
    """Return the file after a cut: each sector as it was synced, or as it is now."""
    left = bytearray(before)
    for start in range(0, len(now), SECTOR):
        if now[start : start + SECTOR] != before[start : start + SECTOR] and random.random() < 0.5:
            left[start : start + SECTOR] = now[start : start + SECTOR]
    assert len(left) == FILE_BYTES > PAGE_BYTES
    return bytes(left)
