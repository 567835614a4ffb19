"""A scripted API and a `Work` around it: what the runtime gives to a job, without processes.

    api = ScriptedApi({"/profile/wow/character/stormrage/sheday/status": [ok({"id": 1, "is_valid": True})]})
    work = FakeWork(api, clock)

Each path has a list of answers, taken in order; the last one stays. An unknown path fails the test.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from supervisor.worker.sdk import NewJob, RequestFailed
from tests.support.clock import FakeClock

NOT_FOUND = {"code": 404, "type": "BLZWEBAPI00000404", "detail": "Not Found"}


class Scripted:
    """One scripted answer: a response, or (fails = a reason of RequestFailed) none."""

    def __init__(
        self, status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None, fails: str = ""
    ) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.url = ""
        self.fails = fails
        self._body = body

    @property
    def raw_bytes(self) -> int:
        return len(self._body)

    def body(self) -> bytes:
        return self._body


def ok(value: Any, **headers: str) -> Scripted:
    """200 with `value` as JSON (bytes go out as they are). Header names: last_modified → Last-Modified."""
    body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return Scripted(body=body, headers={name.replace("_", "-").title(): text for name, text in headers.items()})


def missing() -> Scripted:
    """404 in the API's own words."""
    return Scripted(404, json.dumps(NOT_FOUND).encode())


def empty_404() -> Scripted:
    """404 of a client that may not ask."""
    return Scripted(404)


def status(code: int, body: bytes = b"", **headers: str) -> Scripted:
    """Any other status."""
    return Scripted(code, body, {name.replace("_", "-").title(): text for name, text in headers.items()})


def html() -> Scripted:
    """A gateway's error page under a 200."""
    return Scripted(body=b"<!DOCTYPE html><html><body>Service unavailable</body></html>")


def cut(value: Any) -> Scripted:
    """200 with the first two thirds of the JSON."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Scripted(body=body[: len(body) * 2 // 3])


def fails(reason: str = "timeout") -> Scripted:
    """No answer at all."""
    return Scripted(fails=reason)


class ScriptedApi:
    """A `Client` that answers from a script and keeps what was asked."""

    def __init__(self, script: Mapping[str, Scripted | list[Scripted]]) -> None:
        self._script = {path: list(each) if isinstance(each, list) else [each] for path, each in script.items()}
        self.paths: list[str] = []
        self.requests: list[dict[str, Any]] = []

    async def get(
        self,
        path: str,
        *,
        region: str = "",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = 0,
    ) -> Scripted:
        self.paths.append(unquote(path))
        self.requests.append({"path": path, "region": region, "params": params, "headers": headers})
        answers = self._script.get(path) or self._script.get(unquote(path))
        assert answers, f"the script has no answer for {unquote(path)}"
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.fails:
            raise RequestFailed(answer.fails, path)
        answer.url = path
        return answer


class FakeWork:
    """A `Work`: the scripted client, a clock to turn, and memory of what the job told the runtime."""

    def __init__(self, client: ScriptedApi, clock: FakeClock, *, locale: str = "en_GB", region: str = "eu") -> None:
        self.client = client
        self.clock = clock
        self.api = {"name": "blizzard", "region": region, "locale": locale, "base_url": "", "timeout_s": 30.0}
        self.braked: set[str] = set()
        self.shapes: list[tuple[str, bool]] = []
        self.stored: list[tuple[str, list[dict[str, Any]]]] = []
        self.staged: list[NewJob] = []
        self.big_bodies = 0

    def is_braked(self, endpoint: str) -> bool:
        return endpoint in self.braked

    def parsed(self, endpoint: str, ok: bool) -> None:
        self.shapes.append((endpoint, ok))

    async def rows(self, statement: str, rows: list[dict[str, Any]]) -> None:
        self.stored.append((statement, rows))

    async def stage(self, jobs: list[NewJob]) -> None:
        self.staged += jobs

    async def big_body(self) -> Any:
        @asynccontextmanager
        async def held() -> AsyncIterator[None]:
            self.big_bodies += 1
            yield

        return held()
