"""Wait for jobs to end, and say how each ended, in one line."""

from collections.abc import Iterable, Iterator
from typing import Any

from supervisor.cli.calling import Daemon
from supervisor.cli.intake import Record
from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError
from supervisor.core.text import printable

FINISHED = ("completed", "cancelled", "discarded")
FORCE = "(--max-age 0)"
LOOK_S = 20  # one long poll; the daemon allows 60


def wait_for(daemon: Daemon, jobs: Iterable[Record], *, clock: Clock, timeout_s: float) -> Iterator[dict[str, Any]]:
    """Yield each job when it has ended, in the order given.

    UnavailableError: one has not within `timeout_s` of now; it goes on nevertheless.
    """
    deadline = clock.monotonic() + timeout_s
    for job in jobs:
        yield _wait_for_one(daemon, job, clock, deadline)


def _wait_for_one(daemon: Daemon, job: Record, clock: Clock, deadline: float) -> dict[str, Any]:
    while True:
        left_s = max(0, round(deadline - clock.monotonic()))
        wait_s = min(LOOK_S, left_s)
        found: dict[str, Any] = daemon.get(f"/jobs/{job['id']}/wait", {"timeout_s": wait_s}, timeout_s=wait_s + 15.0)
        if found["state"] in FINISHED:
            return found
        if clock.monotonic() >= deadline or not left_s:
            why = f": {found['error']}" if found.get("error") else ""
            sentence = f"job {job['id']} ({found['entity']}) is still {found['state']}{why}"
            raise UnavailableError(f"{sentence}; it goes on (gatherer status says what limits its worker)")


def has_failed(job: dict[str, Any]) -> bool:
    """Tell whether an ended job brought nothing."""
    return bool(job["state"] != "completed")


def outcome_line(job: dict[str, Any]) -> str:
    """Return "characters eu/kaelthas/zoé: skipped: fresh 3 h ago (--max-age 0)"."""
    outcome = job.get("outcome") or job["state"]
    note = job.get("note") or (job.get("error") if has_failed(job) else "") or ""
    line = f"{job['worker']} {job['entity']}: {outcome}" + (f": {printable(note)}" if note else "")
    can_force = outcome == "skipped" and job.get("max_age_s") != 0 and FORCE not in line
    return f"{line} {FORCE}" if can_force else line
