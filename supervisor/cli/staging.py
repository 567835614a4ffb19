"""Send any number of jobs as one: staged in pieces, accepted together or not at all.

batch.open → append ≤ PIECE jobs … → accept        every line is good
                                   → abort         one is not, or the file cannot be read to its end
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from supervisor.cli.calling import Daemon, RejectedError
from supervisor.cli.intake import Fault, Record
from supervisor.core.errors import UsageError

PIECE = 5000
PIECE_BYTES = 4_000_000  # a body may have 8 MiB
MAX_FAULTS_SHOWN = 20


@dataclass(slots=True)
class Faults:
    """Lines that cannot be accepted: the first MAX_FAULTS_SHOWN, and how many there are."""

    shown: list[Fault] = field(default_factory=list)
    total: int = 0

    def add(self, fault: Fault) -> None:
        """Take one more."""
        self.total += 1
        if len(self.shown) < MAX_FAULTS_SHOWN:
            self.shown.append(fault)

    def as_error(self) -> UsageError:
        """Return all as one error for people."""
        lines = [f"line {fault.line}: {fault.reason}" for fault in sorted(self.shown, key=lambda fault: fault.line)]
        if self.total > len(lines):
            lines.append(f"… and {self.total - len(lines):,} more")
        return UsageError("\n".join([*lines, "nothing was enqueued"]))


def stage(daemon: Daemon, jobs: Iterable[Record | Fault]) -> int:
    """Enqueue all jobs or none; return how many. UsageError lists the lines at fault."""
    faults = Faults()
    batch: Any = daemon.post("/batches")["batch"]
    is_accepted = False
    try:
        sent = sum(_append(daemon, batch, piece, faults) for piece in _pieces(jobs, faults))
        if faults.total:
            raise faults.as_error()
        if not sent:
            raise UsageError("no jobs in it: nothing was enqueued")
        daemon.post(f"/batches/{batch}/accept")
        is_accepted = True
        return sent
    finally:
        if not is_accepted:
            _abort(daemon, batch)


def _append(daemon: Daemon, batch: Any, piece: list[Record], faults: Faults) -> int:
    if faults.total:  # nothing will be accepted any more: read on only to find the other faults
        return 0
    try:
        daemon.post(f"/batches/{batch}/jobs", body={"jobs": piece})
    except RejectedError as error:
        if not error.errors:
            raise
        for fault in error.errors:
            faults.add(Fault(int(fault["line"]), str(fault["reason"])))
    return len(piece)


def _pieces(jobs: Iterable[Record | Fault], faults: Faults) -> Iterator[list[Record]]:
    piece: list[Record] = []
    weight = 0
    for job in jobs:
        if isinstance(job, Fault):
            faults.add(job)
            continue
        piece.append(job)
        weight += 200 + len(str(job["entity"])) + len(str(job.get("args", "")))
        if len(piece) >= PIECE or weight >= PIECE_BYTES:
            yield piece
            piece, weight = [], 0
    if piece:
        yield piece


def _abort(daemon: Daemon, batch: Any) -> None:
    """Give the staged rows up. If the daemon is gone too, it deletes them itself when it starts."""
    try:
        daemon.ask("DELETE", f"/batches/{batch}", timeout_s=5.0)
    except Exception:  # the error that led here matters more than this one
        return
