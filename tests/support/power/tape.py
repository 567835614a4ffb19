"""The order of everything that happened to the files of one folder, and to whom something was promised."""

import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes were given to the kernel: on the disk from the file's next Synced, before that perhaps."""

    name: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """The file was cut, or lengthened with zeros."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """An fsync of the file has returned."""

    name: str


@dataclass(frozen=True, slots=True)
class Created:
    """The file got its name, which lasts from the next FolderSynced."""

    name: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """The file lost its name, which lasts from the next FolderSynced."""

    name: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """The file took the place of `to`, which lasts from the next FolderSynced."""

    name: str
    to: str


@dataclass(frozen=True, slots=True)
class FolderSynced:
    """An fsync of the folder has returned."""


@dataclass(frozen=True, slots=True)
class Promised:
    """Somebody was told something that must hold from now on."""

    fact: Any


Event = Written | Truncated | Synced | Created | Deleted | Renamed | FolderSynced | Promised


class Tape:
    """Events in order. Any thread may add."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._one = threading.Lock()

    def add(self, event: Event) -> None:
        with self._one:
            self.events.append(event)

    def promise(self, fact: Any) -> None:
        self.add(Promised(fact))
