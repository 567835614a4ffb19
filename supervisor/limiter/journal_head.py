"""The head of the journal: which boot it belongs to, and how its time goes on.

word 0, 1    magic, version
word 2, 3    boot id
word 4       journal time minus monotonic time of that boot (double)
word 5, 6    journal time and wall time of the last stamp (doubles)
word 7       1 = the last process ended cleanly
word 8       journal time at which damage was found (double), NEVER = none was
word 9       check of words 0..4
"""

import math
import zlib
from pathlib import Path

MAGIC = int.from_bytes(b"GATHPERM", "little")
VERSION = 1
HEAD_BYTES = 4096
MAGIC_WORD, VERSION_WORD, BASE, STAMP, STAMP_WALL, CLEAN, DAMAGED_AT, CHECK = 0, 1, 4, 5, 6, 7, 8, 9
BOOT = slice(2, 4)
NEVER = -1e18
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id() -> bytes:
    """Return 16 bytes that change with each boot; zeros where the system has none."""
    try:
        return bytes.fromhex(BOOT_ID.read_text().strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)


def head_check(words: "memoryview[int]") -> int:
    """Return what word 9 must hold; never 0."""
    return zlib.crc32(words[0:5].tobytes()) | 1 << 32


def head_problem(words: "memoryview[int]", doubles: "memoryview[float]") -> str:
    """Return why the head cannot be trusted, "" when it can."""
    if words[MAGIC_WORD] != MAGIC:
        return "it is no journal of permits"
    if words[VERSION_WORD] != VERSION:
        return f"version {words[VERSION_WORD]} is not {VERSION}"
    if words[CHECK] != head_check(words):
        return "the head does not check"
    if not all(math.isfinite(doubles[word]) for word in (STAMP, STAMP_WALL, DAMAGED_AT)):
        return "a time is no time"
    return ""
