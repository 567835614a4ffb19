"""Requests that one statement can serve together: they wait here until the writer comes to them, then all at once.

So the claims of thirty replicas that met one fsync cost one statement, not thirty.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from supervisor.core.errors import UnavailableError
from supervisor.database.writer import MAX_QUEUED, Done, Writer

MOST_AT_ONCE = 256

Item = TypeVar("Item")
Waiting: TypeAlias = tuple[Item, Done]


class Bundle(Generic[Item]):
    """Requests of one kind. serve(connection, now, items) returns an answer for each item, in their order."""

    def __init__(
        self, writer: Writer, serve: Callable[[sqlite3.Connection, float, Sequence[Item]], Sequence[Any]]
    ) -> None:
        self._writer = writer
        self._serve = serve
        # Appended to by the loop, taken from by the thread; deque operations are atomic.
        self._waiting: deque[Waiting[Item]] = deque()
        self._is_submitted = False

    def submit(self, item: Item, done: Done) -> None:
        """Queue one item (event loop only); `done` as in `Writer.submit`."""
        if len(self._waiting) >= MAX_QUEUED:
            done(None, UnavailableError("the database has more waiting than it can take"))
            return
        self._waiting.append((item, done))
        self._submit()

    def _submit(self) -> None:
        if self._waiting and not self._is_submitted:
            self._is_submitted = True
            taken: list[Waiting[Item]] = []
            self._writer.submit(partial(self._run, taken=taken), partial(self._answer, taken))

    def _run(self, connection: sqlite3.Connection, now: float, *, taken: list[Waiting[Item]]) -> Sequence[Any]:
        # Before anything is taken: who comes from now on may find this run over, and asks for another.
        self._is_submitted = False
        while self._waiting and len(taken) < MOST_AT_ONCE:
            taken.append(self._waiting.popleft())
        return self._serve(connection, now, [item for item, _ in taken]) if taken else ()

    def _answer(self, taken: list[Waiting[Item]], answers: Sequence[Any] | None, error: Exception | None) -> None:
        if error is None:
            for (_, done), answer in zip(taken, answers or (), strict=True):
                done(answer, None)
        elif len(taken) > 1 and not isinstance(error, UnavailableError):
            for item, done in taken:  # one by one, so that the bad one fails alone
                self._writer.submit(partial(self._serve_one, item=item), done)
        else:
            for _, done in taken or self._never_taken():
                done(None, error)
        self._submit()

    def _serve_one(self, connection: sqlite3.Connection, now: float, *, item: Item) -> Any:
        return self._serve(connection, now, [item])[0]

    def _never_taken(self) -> list[Waiting[Item]]:
        """Return all that wait for a run that the writer refused."""
        self._is_submitted = False
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting
