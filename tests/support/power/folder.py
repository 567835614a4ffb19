"""Record what Python does to the files of a folder: what was in each file at its fsync, and every rename.

Not every write, as `vfs.py` does: what is not synced when a cut comes may be there or not, and of a small file that is
written once, "not" and "half" say all.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.power.tape import Created, Deleted, FolderSynced, Renamed, Synced, Tape, Truncated, Written


class Folder:
    """Puts itself before os.fsync, rename, replace and unlink."""

    def __init__(self, folder: Path, tape: Tape) -> None:
        self._folder = folder
        self._tape = tape
        self._known: dict[str, bytes] = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fsync, rename, replace, unlink = os.fsync, os.rename, os.replace, os.unlink

        def on_fsync(descriptor: Any) -> None:
            fsync(descriptor)
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            self._synced(Path(f"/proc/self/fd/{number}").readlink())

        def on_rename(source: Any, target: Any, **more: Any) -> None:
            self._seen(Path(source))
            rename(source, target, **more)
            self._renamed(Path(source), Path(target))

        def on_replace(source: Any, target: Any, **more: Any) -> None:
            self._seen(Path(source))
            replace(source, target, **more)
            self._renamed(Path(source), Path(target))

        def on_unlink(path: Any, **more: Any) -> None:
            unlink(path, **more)
            if Path(path).parent == self._folder:
                self._known.pop(Path(path).name, None)
                self._tape.add(Deleted(Path(path).name))

        for name, function in (
            ("fsync", on_fsync), ("rename", on_rename), ("replace", on_replace), ("unlink", on_unlink),
        ):  # fmt: skip  # a table
            monkeypatch.setattr(os, name, function)

    def _synced(self, path: Path) -> None:
        if path == self._folder:
            for each in self._folder.iterdir():
                self._seen(each)
            self._tape.add(FolderSynced())
        elif path.parent == self._folder:
            self._seen(path)
            self._tape.add(Synced(path.name))

    def _renamed(self, source: Path, target: Path) -> None:
        if source.parent == self._folder == target.parent:
            self._known[target.name] = self._known.pop(source.name)
            self._tape.add(Renamed(source.name, target.name))

    def _seen(self, path: Path) -> None:
        """Note what has been written to a file since it was last looked at."""
        if path.parent != self._folder or not path.is_file():
            return
        content = path.read_bytes()
        if path.name not in self._known:
            self._tape.add(Created(path.name))
        elif self._known[path.name] == content:
            return
        else:
            self._tape.add(Truncated(path.name, 0))
        self._tape.add(Written(path.name, 0, content))
        self._known[path.name] = content


@contextmanager
def watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tape]:
    """Record within the block."""
    tape = Tape()
    with monkeypatch.context() as patch:
        Folder(folder, tape).install(patch)
        yield tape
