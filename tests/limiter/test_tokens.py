"""How a key obtains its credential: decisions, then the real exchange with a server on loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from supervisor.core.clock import SystemClock
from supervisor.core.messages.replica_supervisor import Acquire, Grant, Refuse, Release
from supervisor.limiter.credentials import Failed, Rejected, Token, fixed_credential, read_token
from supervisor.limiter.server import PermitServer
from supervisor.limiter.token_plan import BACKOFF_CAP_S, REJECTED_AGAIN_S, TokenPlan
from supervisor.settings.config import Config, Secret
from tests.limiter.support import Heard, api, config, key
from tests.support.waiting import eventually

GOOD = b'{"access_token":"abc","token_type":"bearer","expires_in":86399,"sub":"x"}'


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, GOOD, Token),
        (200, b"<html>", Failed),
        (200, b'{"access_token":"a\\r\\nb","expires_in":1}', Failed),
        (200, b'{"access_token":"","expires_in":1}', Failed),
        (200, b'{"access_token":"abc","expires_in":0}', Failed),
        (200, b'{"access_token":"abc","expires_in":0.5}', Failed),
        (200, b'{"x":' + b"[" * 50_000, Failed),
        (302, b"", Failed),
        (400, b"", Rejected),
        (401, b"Bad client credentials", Rejected),
        (403, b"", Rejected),
        (404, b"", Failed),
        (429, b"", Failed),
        (503, b"", Failed),
    ],
)
def test_an_answer_is_a_token_a_rejection_or_a_failure(status: int, body: bytes, expected: type) -> None:
    assert isinstance(read_token(status, body), expected)


def test_no_secret_is_in_a_repr_or_a_reason() -> None:
    token = read_token(200, GOOD)
    assert isinstance(token, Token)
    assert "abc" not in repr(token) + repr(token.credential())
    assert "s3cret" not in str(read_token(401, b"s3cret"))


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        ("bearer", {"Authorization": "Bearer secret of a"}, {}),
        ("header:X-Key", {"X-Key": "secret of a"}, {}),
        ("query:api_key", {}, {"api_key": "secret of a"}),
        ("basic", {"Authorization": "Basic " + base64.b64encode(b"id of a:secret of a").decode()}, {}),
        ("none", {}, {}),
    ],
)
def test_other_kinds_of_auth_need_no_exchange(auth: str, headers: dict[str, str], query: dict[str, str]) -> None:
    credential = fixed_credential(api(auth=auth), key("a"))
    assert credential is not None
    assert (credential.headers, credential.query) == (headers, query)


def test_a_token_is_refreshed_at_nine_tenths_of_its_life() -> None:
    plan = TokenPlan()
    plan.obtained(86_400.0, now=100.0)
    assert plan.due_at == 100.0 + 77_760.0
    assert plan.is_valid(86_499.0)
    assert not plan.is_valid(86_500.0)


def test_a_token_with_a_short_life_is_not_asked_for_all_the_time() -> None:
    plan = TokenPlan()
    plan.obtained(3.0, now=100.0)
    assert plan.due_at == 103.0


def test_failures_back_off_and_rejections_wait_long() -> None:
    plan = TokenPlan()
    waits = []
    for _ in range(20):
        plan.failed(100.0, Random(3))
        waits.append(plan.due_at - 100.0)
    assert min(waits) >= 0.5
    assert 10.0 < max(waits) <= BACKOFF_CAP_S + 1
    plan.rejected(100.0)
    assert plan.due_at == 100.0 + REJECTED_AGAIN_S


class Issuer:
    """A token endpoint with scripted answers; the last one repeats."""

    def __init__(self) -> None:
        self.script: list[tuple[int, bytes]] = [(200, GOOD)]
        self.requests: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.headers["Authorization"], (await request.text())))
        await self.gate.wait()
        status, body = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, body=body, headers=headers)


class Stand:
    """A permit server whose keys obtain their tokens from an `Issuer`, in real time."""

    def __init__(self, server: PermitServer, issuer: Issuer, heard: Heard, settings: Callable[..., Config]) -> None:
        self.server = server
        self.issuer = issuer
        self.heard = heard
        self.settings = settings
        self.answers: list[Grant | Refuse] = []
        self.connection = server.connect("characters#1", "characters", self.answers.append)

    def ask(self, number: int) -> None:
        now = SystemClock().monotonic()
        self.server.receive(self.connection, Acquire(number, False, 0, now + 20.0), now)

    def answer(self, number: int, status: int) -> None:
        grant = next(one for one in self.answers if one.ask == number)
        assert isinstance(grant, Grant)
        self.server.receive(self.connection, Release(grant.permit, 0, status, 0.01), SystemClock().monotonic())

    async def granted(self, number: int) -> Grant:
        found = await eventually(lambda: [one for one in self.answers if one.ask == number])
        assert isinstance(found[0], Grant)
        return found[0]

    def state(self) -> str:
        return self.server.statistics().keys[0].state


@asynccontextmanager
async def stand(folder: Path, *script: tuple[int, bytes], **changes: Any) -> AsyncIterator[Stand]:
    issuer, heard = Issuer(), Heard()
    issuer.script = list(script) or issuer.script
    app = web.Application()
    app.router.add_post("/token", issuer.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]

    def settings(**of_key: Any) -> Config:
        return config(api(auth="client_credentials", token_url=f"http://{host}:{port}/token", **changes), key(**of_key))

    server = PermitServer(
        config=settings(), clock=SystemClock(), events=heard.events, random=Random(1), journal_path=folder / "journal"
    )
    await server.start()
    try:
        yield Stand(server, issuer, heard, settings)
    finally:
        issuer.gate.set()
        await server.stop()
        await runner.cleanup()


async def test_a_token_is_obtained_with_a_permit_of_its_key_and_travels_in_the_grant(tmp_path: Path) -> None:
    async with stand(tmp_path) as it:
        it.ask(1)
        grant = await it.granted(1)
        assert grant.headers == {"Authorization": "Bearer abc"}
        login = "Basic " + base64.b64encode(b"id of osint-1:secret of osint-1").decode()
        assert it.issuer.requests == [(login, "grant_type=client_credentials")]
        one = it.server.statistics().keys[0]
        assert one.statuses == {"(token)": {"200": 1}}
        assert one.windows[0].used == 2


async def test_a_401_refreshes_the_token_once_and_the_next_quarantines(tmp_path: Path) -> None:
    async with stand(tmp_path, (200, GOOD), (200, GOOD.replace(b"abc", b"def"))) as it:
        it.ask(1)
        await it.granted(1)
        it.answer(1, 401)
        it.ask(2)
        assert (await it.granted(2)).headers == {"Authorization": "Bearer def"}
        it.answer(2, 401)
        assert it.state() == "quarantined"
        assert len(it.heard.named("key_quarantined")) == 1
        assert len(it.issuer.requests) == 2


async def test_refused_credentials_quarantine_the_key_and_a_new_secret_ends_that(tmp_path: Path) -> None:
    async with stand(tmp_path, (401, b"no"), (200, GOOD)) as it:
        await eventually(it.state, lambda state: state == "quarantined")
        assert "refused" in it.heard.named("key_quarantined")[0]["reason"]
        changed = key("osint-1")
        it.server.reconfigure(it.settings(secret=type(changed.secret)("a better one")))
        await eventually(it.state, lambda state: state == "probing")
        assert b"a better one" in base64.b64decode(it.issuer.requests[1][0].removeprefix("Basic "))
        it.ask(1)
        await it.granted(1)


async def test_verify_tells_what_happened_and_ends_a_quarantine(tmp_path: Path) -> None:
    async with stand(tmp_path, (403, b"no"), (403, b"no"), (200, GOOD)) as it:
        await eventually(it.state, lambda state: state == "quarantined")
        first = await it.server.verify("osint-1")
        assert [(one.name, one.ok) for one in first] == [("osint-1", False)]
        assert "refused" in first[0].detail
        second = await it.server.verify(None)
        assert [(one.name, one.ok) for one in second] == [("osint-1", True)]
        assert it.state() == "probing"


async def test_a_rotated_secret_leaves_the_old_token_in_force_until_the_new_one_is_there(tmp_path: Path) -> None:
    async with stand(tmp_path, (200, GOOD), (200, GOOD.replace(b"abc", b"def"))) as it:
        it.ask(1)
        await it.granted(1)
        it.issuer.gate.clear()
        it.server.reconfigure(it.settings(secret=Secret("the next one")))
        await eventually(lambda: len(it.issuer.requests) == 2)
        it.ask(2)
        assert (await it.granted(2)).headers == {"Authorization": "Bearer abc"}
        it.issuer.gate.set()
        await eventually(lambda: len(it.heard.named("token_obtained")) == 2)
        it.ask(3)
        assert (await it.granted(3)).headers == {"Authorization": "Bearer def"}


async def test_a_refused_new_secret_is_said_aloud_and_the_old_token_serves_on(tmp_path: Path) -> None:
    async with stand(tmp_path, (200, GOOD), (401, b"no"), (200, GOOD)) as it:
        await eventually(it.state, lambda state: state == "ok")
        it.server.reconfigure(it.settings(secret=Secret("mistyped")))
        await eventually(lambda: it.heard.named("token_refused"))
        one = it.server.statistics().keys[0]
        assert (one.state, "refused" in one.reason, "refused" in one.last_error) == ("ok", True, True)
        it.ask(1)
        await it.granted(1)
        assert (await it.server.verify("osint-1"))[0].ok
        assert it.server.statistics().keys[0].reason == ""


async def test_a_disabled_key_obtains_no_token_until_it_is_enabled(tmp_path: Path) -> None:
    async with stand(tmp_path) as it:
        await eventually(it.state, lambda state: state == "ok")
        it.server.reconfigure(it.settings(disabled="noon"))
        assert it.state() == "disabled"
        check = (await it.server.verify("osint-1"))[0]
        assert (check.ok, "gatherer keys enable osint-1" in check.detail) == (False, True)
        assert len(it.issuer.requests) == 1
        it.server.reconfigure(it.settings())
        await eventually(it.state, lambda state: state == "ok")
        assert len(it.issuer.requests) == 2


async def test_unlocking_a_quarantined_key_obtains_a_token_now(tmp_path: Path) -> None:
    async with stand(tmp_path, (401, b"no"), (200, GOOD)) as it:
        await eventually(it.state, lambda state: state == "quarantined")
        it.server.unlock("osint-1")
        await eventually(it.state, lambda state: state == "probing")
        it.ask(1)
        await it.granted(1)


@pytest.mark.slow
async def test_a_failing_endpoint_is_asked_again_and_redirects_are_not_followed(tmp_path: Path) -> None:
    async with stand(tmp_path, (302, b""), (200, GOOD)) as it:
        await eventually(it.state, lambda state: state == "ok")
        assert len(it.issuer.requests) == 2
        assert it.heard.named("token_failed")[0]["reason"] == "the token endpoint answered 302"


@pytest.mark.slow
async def test_no_event_and_no_statistics_show_a_secret_or_a_token(tmp_path: Path) -> None:
    async with stand(tmp_path, (500, b"secret of osint-1"), (200, GOOD)) as it:
        await eventually(it.state, lambda state: state == "ok")
        shown = repr(it.heard.all) + repr(it.server.statistics()) + repr(await it.server.verify(None))
        assert "secret of" not in shown
        assert "abc" not in shown


async def test_stop_during_an_exchange_leaves_nothing_behind(tmp_path: Path) -> None:
    async with stand(tmp_path) as it:
        it.issuer.gate.clear()
        await eventually(lambda: len(it.issuer.requests))
        await it.server.stop()
        await it.server.stop()
