"""What each key has spent, in a file that outlives this process.

    file     ::= head page*           see `journal_head.py` and `journal_page.py`
The file is mapped: stores survive this process, and a thread fsyncs them once a second against loss of
power. Journal time goes on over reboots: within a boot it follows the monotonic clock; the wall clock
only says how long the machine was off, and if it went back, no time has passed.

Damaged means spent: a head that does not check spends every key, a page that does not check its own.
A key without a page was never seen here and is unspent.
"""

import fcntl
import mmap
import os
from pathlib import Path

from supervisor.core.clock import Clock
from supervisor.core.errors import RefusedError, UnavailableError
from supervisor.core.events import Events
from supervisor.limiter.journal_head import (
    BASE,
    BOOT,
    CHECK,
    CLEAN,
    DAMAGED_AT,
    HEAD_BYTES,
    MAGIC,
    MAGIC_WORD,
    NEVER,
    STAMP,
    STAMP_WALL,
    VERSION,
    VERSION_WORD,
    head_check,
    head_problem,
    read_boot_id,
)
from supervisor.limiter.journal_page import PAGE_BYTES, WORD_BYTES, Page, bucket_s_for
from supervisor.limiter.past import LINGER_S, NoRecord, Past, Record
from supervisor.settings.durable import sync_folder

MAX_PAGES = 256
FILE_BYTES = HEAD_BYTES + MAX_PAGES * PAGE_BYTES
UNFLUSHED_S = 2.0
"""What power loss may take: the second since the last fsync, and as much for the fsync itself."""
NO_PAGE = bytes(32)


class Journal:
    """The open journal. One process at a time: RefusedError when another one holds it.

    Not thread-safe, but `sync` may run in a thread beside everything else.
    """

    def __init__(self, path: Path, *, clock: Clock, events: Events, boot_id: bytes | None = None) -> None:
        self._path = path
        self._clock = clock
        self._events = events
        self._boot_id = read_boot_id() if boot_id is None else boot_id
        self._open_pages: list[Page] = []
        self._pages: dict[bytes, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(path.with_name(path.name + ".lock"))
        self._base = 0.0
        self._damaged: set[bytes] = set()
        is_new = not path.exists()
        # A new file gets its name when it is whole: a half-made one would pass for a damaged one.
        file = path.with_name(path.name + ".new") if is_new else path
        self._fd = os.open(file, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_TRUNC if is_new else 0), 0o600)
        size = os.fstat(self._fd).st_size
        self._map_file()
        if is_new:
            self._begin("")
        else:
            self._check_head("" if size == FILE_BYTES else f"it has {size} bytes")
        self._go_on()
        self._find_pages()
        if is_new:
            os.fsync(self._fd)
            file.rename(path)
            sync_folder(path.parent)  # or a power cut could leave a key that was never seen, and so unspent

    def open_record(self, identity: bytes, longest_s: float) -> tuple[Record, Past]:
        """Return a key's page and what it says of the past. longest_s: the key's longest window."""
        number = self._pages.get(identity)
        if number is None:
            return self._new_page(identity, longest_s)
        page = self._page(number)
        self._open_pages.append(page)
        now = self._journal_now()
        charges = page.charges(now)
        if page.bucket_s != bucket_s_for(longest_s):
            page.refill(longest_s, charges)
        return page, self._past(page, charges)

    def stamp(self) -> bool:
        """Note the time; tell whether anything has changed since the last stamp, so that `sync` is worth it."""
        is_dirty = any(page.is_dirty for page in self._open_pages)
        for page in self._open_pages:
            page.is_dirty = False
        self._doubles[STAMP] = self._journal_now()
        self._doubles[STAMP_WALL] = self._clock.wall()
        return is_dirty

    def sync(self) -> None:
        """Bring everything to the disk. Blocks; call it in a thread."""
        # Not mmap.flush, which holds the interpreter's lock all the while; on Linux fsync writes mapped pages too.
        os.fsync(self._fd)

    def close(self) -> None:
        """Mark a clean end, sync, close and unlock. Safe when called twice."""
        if self._fd < 0:
            return
        self.stamp()
        self._words[CLEAN] = 1
        self.sync()
        os.close(self._fd)
        os.close(self._lock)
        self._fd = -1

    def _past(self, page: Page, charges: list[tuple[float, int]]) -> Past:
        now = self._clock.monotonic()
        was_quiet = self._was_clean and page.in_flight == 0 and self._is_same_boot
        return Past(
            origin="damaged" if page.identity in self._damaged else "restored",
            charges=tuple((at - self._base, requests) for at, requests in charges),
            unknown=page.in_flight,
            unflushed_s=self._lost_s,
            short_full_at=self._stopped_at - self._base if was_quiet else now,
            parked_until=page.parked_until - self._base if page.parked_until else 0.0,
        )

    def _new_page(self, identity: bytes, longest_s: float) -> tuple[Record, Past]:
        number = next((n for n in range(MAX_PAGES) if n not in self._pages.values()), None)
        if number is None:
            # Better served without a memory than not at all; said loudly, because a restart will forget it.
            self._events.emit("journal_full", path=str(self._path), keys=len(self._pages))
            return NoRecord(), Past(origin="unrecorded")
        page = self._page(number)
        self._open_pages.append(page)
        page.format(identity, longest_s)
        self._pages[identity] = number
        damaged_at = self._doubles[DAMAGED_AT]
        if self._journal_now() - damaged_at >= longest_s + LINGER_S:
            return page, Past()
        self._damaged.add(identity)
        page.spend(damaged_at)
        return page, self._past(page, page.charges(self._journal_now()))

    def _map_file(self) -> None:
        # All of it at once: touching a hole of a mapped file on a full disk, on tmpfs even reading one, kills the
        # process (SIGBUS). Of a file that has its space already this takes none.
        try:
            os.ftruncate(self._fd, FILE_BYTES)
            os.posix_fallocate(self._fd, 0, FILE_BYTES)
        except OSError as error:
            os.close(self._fd)
            os.close(self._lock)
            raise UnavailableError(
                f"{self._path}: {error.strerror}; it needs {FILE_BYTES:,} bytes, make room on its disk"
            ) from error
        mapped = mmap.mmap(self._fd, FILE_BYTES)
        self._words: memoryview[int] = memoryview(mapped).cast("Q")
        self._doubles: memoryview[float] = memoryview(mapped).cast("d")

    def _go_on(self) -> None:
        """Set the journal's time going on from where it stopped."""
        now = self._clock.monotonic()
        self._was_clean = self._words[CLEAN] == 1
        self._stopped_at = self._doubles[STAMP]
        is_same_boot = self._words[BOOT].tobytes() == self._boot_id != bytes(16)
        # The second condition holds unless the monotonic clock is another one (a container's own).
        self._is_same_boot = is_same_boot and now + self._doubles[BASE] >= self._stopped_at - 1.0
        # How much of what came before the last end may be missing from the file.
        self._lost_s = 0.0 if self._was_clean or self._is_same_boot else UNFLUSHED_S
        if not self._is_same_boot:
            off_s = max(0.0, self._clock.wall() - self._doubles[STAMP_WALL])
            self._doubles[BASE] = self._stopped_at + off_s - now
            self._words[BOOT] = _as_words(self._boot_id)
        self._base = self._doubles[BASE]
        self._words[CHECK] = head_check(self._words)
        self._words[CLEAN] = 0
        self.stamp()

    def _begin(self, problem: str) -> None:
        """Lay out an empty journal; after damage, one that knows that everything may be spent."""
        if problem:
            self._events.emit("journal_damaged", path=str(self._path), problem=problem)
            os.ftruncate(self._fd, 0)
            self._map_file()
        self._words[MAGIC_WORD] = MAGIC
        self._words[VERSION_WORD] = VERSION
        self._words[BOOT] = _as_words(self._boot_id)
        self._doubles[BASE] = 0.0
        self._doubles[STAMP] = self._clock.monotonic()
        self._doubles[STAMP_WALL] = self._clock.wall()
        self._doubles[DAMAGED_AT] = self._clock.monotonic() if problem else NEVER

    def _find_pages(self) -> None:
        now = self._journal_now()
        for number in range(MAX_PAGES):
            page = self._page(number)
            if page.identity == NO_PAGE:
                continue
            try:
                page.check()
            except ValueError as error:
                self._events.emit("journal_damaged", path=str(self._path), problem=f"page {number}: {error}")
                self._damaged.add(page.identity)
                page.format(page.identity, 3600.0)
                page.spend(now)
                # Perhaps the identity is what is damaged: then its key will look as if never seen.
                self._doubles[DAMAGED_AT] = now
            # After a loss of power an empty page may have been charged in the moment that was lost.
            if self._lost_s == 0.0 and self._is_forgotten(page, now):
                page.format(NO_PAGE, 1.0)
            else:
                self._pages[page.identity] = number

    def _is_forgotten(self, page: Page, now: float) -> bool:
        return page.in_flight == 0 and page.parked_until <= now and not page.charges(now)

    def _check_head(self, problem: str) -> None:
        problem = problem or head_problem(self._words, self._doubles)
        if problem:
            self._begin(problem)

    def _page(self, number: int) -> Page:
        start = (HEAD_BYTES + number * PAGE_BYTES) // WORD_BYTES
        end = start + PAGE_BYTES // WORD_BYTES
        return Page(self._words[start:end], self._doubles[start:end], self._base)

    def _journal_now(self) -> float:
        return self._clock.monotonic() + self._base


def _as_words(data: bytes) -> "memoryview[int]":
    return memoryview(data).cast("Q")


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise RefusedError(
            f"{path}: another supervisor holds it; two on the same keys would break every limit"
        ) from error
    return fd
