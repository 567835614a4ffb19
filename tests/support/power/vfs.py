"""Record what SQLite does to its files: a VFS of its own in the very library that Python's sqlite3 uses.

It is the system's VFS with five functions put before its own: open, delete, write, truncate and sync. The files are
real; only the fsync is left out, because the tape knows what it would have done.

    struct sqlite3_file     { const sqlite3_io_methods *pMethods; … }          https://sqlite.org/c3ref/file.html
    struct sqlite3_vfs      https://sqlite.org/c3ref/vfs.html                   looked up 2026-11-25
"""

import ctypes
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CDLL, CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

import pytest

from tests.support.power.tape import Created, Deleted, FolderSynced, Synced, Tape, Truncated, Written

IOERR = 10
CREATE, MAIN_JOURNAL, SUPER_JOURNAL, WAL = 0x4, 0x800, 0x4000, 0x80000

# Names as bare pointers: the system's VFS keeps the one that it is given, and a copy of Python's would be gone.
Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)


class Methods(Structure):
    """sqlite3_io_methods."""

    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        ("rest", c_void_p * 13),
    ]


class Vfs(Structure):
    """sqlite3_vfs."""

    _fields_ = [
        ("version", c_int),
        ("file_bytes", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        ("rest", c_void_p * 15),
    ]


class Recorder:
    """The VFS. Files under `folder` are recorded, others pass through."""

    def __init__(self, folder: Path, tape: Tape) -> None:
        self._folder = folder
        self._tape = tape
        self._library = _library()
        self._system = ctypes.cast(self._library.sqlite3_vfs_find(None), POINTER(Vfs))
        self._names: dict[int, str] = {}
        self._syncs_folder: set[int] = set()
        self._ours: dict[int, Methods] = {}
        self._kept: list[Any] = []  # what C holds pointers to
        self._vfs = Vfs.from_buffer_copy(self._system.contents)
        self._open: Callable[..., int] = Open(self._vfs.open)
        self._delete: Callable[..., int] = Delete(self._vfs.delete)
        self._vfs.name, self._vfs.next = b"recording", None
        self._vfs.open = self._function(Open, self._on_open)
        self._vfs.delete = self._function(Delete, self._on_delete)

    def install(self) -> None:
        """Let every connection from now on be recorded."""
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)

    def remove(self) -> None:
        """Undo `install`; connections of that time must be closed."""
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))
        self._library.sqlite3_vfs_register(self._system, 1)

    def _on_open(self, vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        path = _path(name) if name else None
        ours = path is not None and path.parent == self._folder
        is_new = ours and path is not None and not path.exists()
        code = self._open(vfs, name, file, flags, out)
        if code or not ours or path is None:
            return code
        if is_new:
            self._tape.add(Created(path.name))
        self._names[file] = path.name
        if flags & (MAIN_JOURNAL | SUPER_JOURNAL | WAL) and flags & CREATE:
            self._syncs_folder.add(file)  # as the system's VFS: with the first sync
        self._take_over(file)
        return code

    def _on_delete(self, vfs: int, name: int, sync_folder: int) -> int:
        code = self._delete(vfs, name, sync_folder)
        path = _path(name)
        if not code and path.parent == self._folder:
            self._tape.add(Deleted(path.name))
            if sync_folder:
                self._tape.add(FolderSynced())
        return code

    def _take_over(self, file: int) -> None:
        """Put our methods before those of an open file."""
        slot = ctypes.cast(file, POINTER(c_void_p))
        system = slot[0] or 0
        if system not in self._ours:
            self._ours[system] = self._methods(ctypes.cast(system, POINTER(Methods)).contents)
        slot[0] = ctypes.addressof(self._ours[system])

    def _methods(self, system: Methods) -> Methods:
        ours = Methods.from_buffer_copy(system)
        write: Callable[..., int] = Write(system.write)
        truncate: Callable[..., int] = Truncate(system.truncate)

        def on_write(file: int, content: int, size: int, offset: int) -> int:
            self._tape.add(Written(self._names[file], offset, ctypes.string_at(content, size)))
            return write(file, content, size, offset)

        def on_truncate(file: int, size: int) -> int:
            self._tape.add(Truncated(self._names[file], size))
            return truncate(file, size)

        def on_sync(file: int, flags: int) -> int:
            self._tape.add(Synced(self._names[file]))
            if file in self._syncs_folder:
                self._syncs_folder.discard(file)
                self._tape.add(FolderSynced())
            return 0

        ours.write = self._function(Write, on_write)
        ours.truncate = self._function(Truncate, on_truncate)
        ours.sync = self._function(Sync, on_sync)
        return ours

    def _function(self, kind: Any, work: Callable[..., int]) -> int | None:
        """Return the address of a C function that runs `work`; what it raises becomes an I/O error."""

        def run(*arguments: Any) -> int:
            try:
                return work(*arguments)
            except BaseException:
                traceback.print_exc(file=sys.stderr)
                return IOERR

        function = kind(run)
        self._kept.append(function)
        return ctypes.cast(function, c_void_p).value


@contextmanager
def recorded(folder: Path) -> Iterator[Tape]:
    """Record every SQLite file that is opened in `folder` within the block."""
    tape = Tape()
    recorder = Recorder(folder, tape)
    recorder.install()
    try:
        yield tape
    finally:
        recorder.remove()


def _path(name: int) -> Path:
    return Path(os.fsdecode(ctypes.string_at(name)))


def _library() -> CDLL:
    """Return the SQLite that this Python uses: a shared library, or the program itself."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    shared = {line.split()[-1] for line in maps if "libsqlite3" in line or "_sqlite3." in line}
    for name in (*sorted(shared, key=lambda name: "libsqlite3" not in name), None):
        library = CDLL(name)
        if hasattr(library, "sqlite3_vfs_find"):
            library.sqlite3_vfs_find.argtypes, library.sqlite3_vfs_find.restype = [c_char_p], c_void_p
            library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
            library.sqlite3_vfs_unregister.argtypes = [c_void_p]
            return library
    pytest.skip("this Python's SQLite gives no access to its VFS")
