"""The disks that a power cut may leave: everything synced, and of the rest any part.

Of what was written and not synced each sector of 512 bytes is there or not, by itself and in any order, so that writes
are torn and a later one may be there without an earlier one. A truncation, a new name or a lost name may have
happened or not. A file may have its new length without its new content (zeros).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.support.power.tape import (
    Created,
    Deleted,
    Event,
    FolderSynced,
    Promised,
    Renamed,
    Synced,
    Tape,
    Truncated,
    Written,
)

SECTOR = 512
# How likely an unsynced sector is there. 0 and 1 are the disks that lose all of it and none.
LIKELIHOODS = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclass(slots=True)
class _Content:
    """One file: what is on the disk, and what may be."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Written | Truncated] = field(default_factory=list)

    def sync(self) -> None:
        for event in self.pending:
            _apply(self.synced, event)
        self.pending.clear()

    def after_cut(self, random: Random, likelihood: float) -> bytes:
        left = bytearray(self.synced)
        for event in self.pending:
            if isinstance(event, Truncated):
                if random.random() < likelihood:
                    _apply(left, event)
                continue
            for piece in _sectors(event):
                if random.random() < likelihood:
                    _apply(left, piece)
                elif random.random() < likelihood / 2:
                    left.extend(bytes(max(0, piece.offset + len(piece.content) - len(left))))
        return bytes(left)


class Disk:
    """A folder, followed event by event. promises: what has been promised so far."""

    def __init__(self) -> None:
        self.promises: list[Any] = []
        self._names: dict[str, _Content] = {}
        self._synced_names: dict[str, _Content] = {}

    def follow(self, event: Event) -> None:
        """Take the next event of the tape."""
        match event:
            case Written() | Truncated():
                self._names.setdefault(event.name, _Content()).pending.append(event)
            case Synced():
                self._names.setdefault(event.name, _Content()).sync()
            case Created():
                self._names[event.name] = _Content()
            case Deleted():
                self._names.pop(event.name, None)
            case Renamed():
                self._names[event.to] = self._names.pop(event.name)
            case FolderSynced():
                self._synced_names = dict(self._names)
            case Promised():
                self.promises.append(event.fact)

    def start_with(self, folder: Path) -> None:
        """Begin with the files of `folder`, on the disk."""
        for path in folder.iterdir():
            if path.is_file():
                self._names[path.name] = _Content(synced=bytearray(path.read_bytes()))
        self._synced_names = dict(self._names)

    def after_cut(self, random: Random) -> dict[str, bytes]:
        """Return the files that a cut at this moment may leave."""
        likelihood = random.choice(LIKELIHOODS)
        found = {}
        for name in sorted({*self._names, *self._synced_names}):
            now, before = self._names.get(name), self._synced_names.get(name)
            content = now if now is before or random.random() < likelihood else before
            if content is not None:
                found[name] = content.after_cut(random, likelihood)
        return found


def cuts(tape: Tape, before: Disk, moments: int, random: Random) -> Iterator[tuple[int, Disk]]:
    """Follow the tape and stop at so many moments of it, in order; yield (number of the event, disk)."""
    chosen = sorted(random.randrange(1, len(tape.events) + 1) for _ in range(moments))
    followed = 0
    for moment in chosen:
        for event in tape.events[followed:moment]:
            before.follow(event)
        followed = moment
        yield moment, before


def _apply(content: bytearray, event: Written | Truncated) -> None:
    if isinstance(event, Truncated):
        del content[event.size :]
        content.extend(bytes(event.size - len(content)))
        return
    end = event.offset + len(event.content)
    content.extend(bytes(max(0, end - len(content))))
    content[event.offset : end] = event.content


def _sectors(written: Written) -> Iterator[Written]:
    """Cut a write at the borders of sectors."""
    start = written.offset
    end = start + len(written.content)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Written(written.name, start, written.content[start - written.offset : stop - written.offset])
        start = stop
