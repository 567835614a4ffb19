"""The one face that a job module may import.

A job module has one function:

    async def run(job: ClaimedJob, work: Work) -> Outcome

It sends requests with `work.client` (each behind its own permit), and returns what happened as a
value; rows and follow-ups ride in that value and are committed together with the completion.
Raising is for bugs: an exception counts as an attempt and is retried with backoff.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from supervisor.core.clock import Clock
from supervisor.core.errors import GathererError
from supervisor.core.job import (
    ClaimedJob,
    Discard,
    Done,
    Effect,
    Gone,
    NewJob,
    Outcome,
    Priority,
    Result,
    Retry,
    Skipped,
    Snooze,
    Unparsed,
)

__all__ = [
    "BLAMELESS_S",
    "MOST_BODY_BYTES",
    "ClaimedJob",
    "Client",
    "Discard",
    "Done",
    "Effect",
    "Gone",
    "NewJob",
    "Outcome",
    "Priority",
    "RequestFailed",
    "Response",
    "Result",
    "Retry",
    "Skipped",
    "Snooze",
    "Unparsed",
    "Work",
]


BLAMELESS_S = {"draining": 0.0, "no permit": 30.0, "unreachable": 15.0, "host down": 60.0}
"""Reasons for which no job is to blame, and how many seconds later it should come again."""

MOST_BODY_BYTES = 16 * 1024 * 1024
"""The largest body that a request accepts unless it says otherwise."""


class RequestFailed(GathererError):
    """Say that a request has no usable answer: the job should Retry (or Snooze when `draining`).

    reason: "unreachable" (no connection, so nothing was sent), "timeout", "connection", "too large",
    "no permit", "draining", "host down" (only a probe may be sent, or this was one and failed) or
    "rejected" (429 or 401 again and again). url has no credential in it.
    """

    def __init__(self, reason: str, url: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {url}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.url = url

    @property
    def snooze_s(self) -> float | None:
        """Return after how many seconds the job should come again without having spent an attempt.

        None = the failure may be the job's own, so it counts. A job that lets RequestFailed through is
        snoozed or retried like this.
        """
        return BLAMELESS_S.get(self.reason)


class Response(Protocol):
    """An answer whose headers have been seen and whose (still compressed) body has been read."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers; names compare without case."""
        ...

    @property
    def url(self) -> str:
        """What was asked, without credentials."""
        ...

    @property
    def raw_bytes(self) -> int:
        """Size on the wire, before decompression."""
        ...

    def body(self) -> bytes:
        """Return the body, decompressed now. RequestFailed("too large") above the cap; "connection" when cut."""
        ...


class Client(Protocol):
    """Send requests, each behind a permit; 429, 401, 403 and parked keys are handled here, not in jobs."""

    async def get(
        self,
        path: str,
        *,
        region: str = "",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = MOST_BODY_BYTES,
    ) -> Response:
        """GET base_url + path (`{region}` in base_url filled in). Any status but 429 and a first 401 or 403 comes back.

        most_bytes: of the body, plain; a larger one is no answer. RequestFailed when there is none.
        """
        ...


class Work(Protocol):
    """What a running job may use."""

    @property
    def client(self) -> Client:
        """The client whose first request spends the permit that the job started with."""
        ...

    @property
    def clock(self) -> Clock:
        """Time; `clock.wall()` for what is stored."""
        ...

    @property
    def api(self) -> Mapping[str, Any]:
        """The API's profile: region, locale, base_url, timeout_s."""
        ...

    def is_braked(self, endpoint: str) -> bool:
        """Tell whether so many bodies of `endpoint` did not parse lately that it is only probed."""
        ...

    def parsed(self, endpoint: str, ok: bool) -> None:
        """Report that a 200 of `endpoint` did or did not parse; feeds the brake."""
        ...

    async def rows(self, statement: str, rows: list[dict[str, Any]]) -> None:
        """Store bulk rows ahead of the finish in chunks of ≤ 500, awaited (back-pressure)."""
        ...

    async def stage(self, jobs: list[NewJob]) -> None:
        """Stage many follow-ups ahead of the finish in chunks of ≤ 500; the finish accepts them."""
        ...

    async def big_body(self) -> Any:
        """Return an async context manager that one job on this machine holds at a time."""
        ...
