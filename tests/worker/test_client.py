"""Requests against a real server on loopback: one permit each, no request that nobody permitted."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
from aiohttp import web

from supervisor.core.clock import Clock, SystemClock
from supervisor.core.messages.replica_supervisor import ANSWERED, NOT_SENT, UNKNOWN, Grant, Release
from supervisor.worker.client import UNREACHABLE_PAUSE_S, HttpClient, close_session, open_session
from supervisor.worker.measures import Measures
from supervisor.worker.permits import Permit
from supervisor.worker.sdk import RequestFailed
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Bench:
    """A client, its server, and what the supervisor would see."""

    def __init__(
        self, base_url: str, client_timeout_s: float, clock: Clock | None = None, *, is_sighted: bool = False
    ) -> None:
        self.released: list[msgspec.Struct] = []
        self.granted = 0
        self.keys: tuple[str, ...] = ("k",)
        self.asked: list[tuple[float, bool]] = []
        self.is_probing = False
        self.session = open_session()
        self.client = HttpClient(
            session=self.session,
            api={"base_url": base_url, "region": "eu", "timeout_s": client_timeout_s, "is_sighted": is_sighted},
            acquire=self._acquire,
            first_permit=None,
            clock=clock or SystemClock(),
            measures=Measures(),
        )

    async def _acquire(self, region: str, deadline: float, again: bool) -> Permit:
        self.granted += 1
        self.asked.append((deadline, again))
        return Permit(
            Grant(
                0,
                self.granted,
                self.keys[self.granted % len(self.keys)],
                {"Authorization": "Bearer secret"},
                is_probe=self.is_probing,
            ),
            self.released.append,
            SystemClock().monotonic(),
        )

    def regions(self) -> list[str]:
        return [r.region for r in self.released if isinstance(r, Release)]

    def fates(self) -> list[tuple[int, int]]:
        return [(r.fate, r.status) for r in self.released if isinstance(r, Release)]


@asynccontextmanager
async def serving(handler: Handler, timeout_s: float = 5.0, *, is_sighted: bool = False) -> AsyncIterator[Bench]:
    app = web.Application()
    app.router.add_get("/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    bench = Bench(f"http://{host}:{port}", timeout_s, is_sighted=is_sighted)
    try:
        yield bench
    finally:
        await close_session(bench.session)
        await runner.cleanup()


def answers(*statuses: int) -> tuple[Handler, list[str]]:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.raw_path)
        status = statuses[min(len(seen), len(statuses)) - 1]
        return web.json_response({"n": len(seen)}, status=status)

    return handler, seen


async def test_one_request_takes_one_permit_and_reports_status() -> None:
    handler, seen = answers(200)
    async with serving(handler) as bench:
        response = await bench.client.get("/x/%D0%B0", params={"locale": "en_GB"})
        assert (response.status, response.body()) == (200, b'{"n": 1}')
        assert seen == ["/x/%D0%B0?locale=en_GB"]
        assert bench.fates() == [(ANSWERED, 200)]


async def test_the_date_and_the_way_of_an_answer_are_reported_where_the_limiter_learns() -> None:
    answered: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        answered.append(request)
        headers = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT"} | ({"Age": "3"} if len(answered) == 2 else {})
        return web.json_response({}, headers=headers)

    async with serving(handler, is_sighted=True) as bench:
        await bench.client.get("/x")
        await bench.client.get("/x")
        first, cached = [r for r in bench.released if isinstance(r, Release)]
    assert (first.date_s, first.path) == (1_700_000_000, "127.0.0.1/4")
    assert cached.date_s == 0, "a cache's Date is of the past"


async def test_nothing_of_that_is_reported_otherwise() -> None:
    handler, _ = answers(200)
    async with serving(handler) as bench:
        await bench.client.get("/x")
        [release] = [r for r in bench.released if isinstance(r, Release)]
    assert (release.date_s, release.path) == (0, "")


async def test_429_goes_on_with_another_permit() -> None:
    handler, seen = answers(429, 429, 200)
    async with serving(handler) as bench:
        response = await bench.client.get("/x")
        assert response.status == 200
        assert bench.fates() == [(ANSWERED, 429), (ANSWERED, 429), (ANSWERED, 200)]


async def test_a_request_that_goes_on_asks_before_others_and_within_its_first_deadline() -> None:
    handler, _ = answers(429, 429, 200)
    async with serving(handler) as bench:
        await bench.client.get("/x")
    assert [again for _, again in bench.asked] == [False, True, True]
    assert len({deadline for deadline, _ in bench.asked}) == 1


async def test_401_is_repeated_once_and_then_returned() -> None:
    handler, seen = answers(401)
    async with serving(handler) as bench:
        response = await bench.client.get("/x")
        assert response.status == 401
        assert len(seen) == 2


async def test_403_is_asked_once_more_with_another_key_and_then_returned() -> None:
    handler, seen = answers(403)
    async with serving(handler) as bench:
        bench.keys = ("one", "two")
        assert (await bench.client.get("/x")).status == 403
        assert len(seen) == 2


async def test_403_costs_no_second_request_where_there_is_no_other_key() -> None:
    handler, seen = answers(403)
    async with serving(handler) as bench:
        assert (await bench.client.get("/x")).status == 403
        assert len(seen) == 1
        assert bench.fates() == [(ANSWERED, 403), (NOT_SENT, 0)]


async def test_what_one_key_may_not_do_another_does() -> None:
    handler, _ = answers(403, 200)
    async with serving(handler) as bench:
        bench.keys = ("one", "two")
        assert (await bench.client.get("/x")).status == 200


async def test_5xx_is_the_jobs_to_judge() -> None:
    handler, seen = answers(503)
    async with serving(handler) as bench:
        assert (await bench.client.get("/x")).status == 503
        assert len(seen) == 1


async def test_endless_429_ends_as_rejected() -> None:
    handler, seen = answers(429)
    async with serving(handler) as bench:
        with pytest.raises(RequestFailed) as failed:
            await bench.client.get("/x")
        assert failed.value.reason == "rejected"
        assert len(seen) == bench.granted


async def test_timeout_is_no_answer_and_holds_the_permit_as_unknown() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5.0)
        return web.Response()

    async with serving(handler, timeout_s=0.1) as bench:
        with pytest.raises(RequestFailed) as failed:
            await bench.client.get("/x")
        assert failed.value.reason == "timeout"
        assert bench.fates() == [(UNKNOWN, 0)]


async def test_dead_kept_alive_connection_never_sends_a_request_without_a_permit() -> None:
    served = 0

    async def one_answer_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"\r\n\r\n")
        served += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            served += 1
        writer.close()

    server = await asyncio.start_server(one_answer_each, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    bench = Bench(f"http://{host}:{port}", 5.0)
    try:
        await bench.client.get("/first")
        await bench.client.get("/second")
        assert served == bench.granted == 3
        assert bench.fates() == [(ANSWERED, 200), (UNKNOWN, 0), (ANSWERED, 200)]
    finally:
        await close_session(bench.session)
        server.close()


async def test_redirect_is_returned_and_not_followed() -> None:
    seen = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(handler) as bench:
        assert (await bench.client.get("/x")).status == 302
        assert seen == ["/x"]


async def test_gzip_is_read_and_cut_gzip_is_no_body() -> None:
    whole = gzip.compress(b"a" * 5000)

    async def handler(request: web.Request) -> web.StreamResponse:
        body = whole if request.path == "/whole" else whole[:-9]
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with serving(handler) as bench:
        assert (await bench.client.get("/whole")).body() == b"a" * 5000
        cut = await bench.client.get("/cut")
        with pytest.raises(RequestFailed) as failed:
            cut.body()
        assert failed.value.reason == "connection"


async def test_credential_is_sent_but_stands_in_no_error() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        await asyncio.sleep(5.0)
        return web.Response()

    async with serving(handler, timeout_s=0.1) as bench:
        with pytest.raises(RequestFailed) as failed:
            await bench.client.get("/x")
        assert seen == ["Bearer secret"]
        assert "secret" not in str(failed.value)


async def test_unreachable_api_costs_no_quota_and_pauses() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    clock = FakeClock()
    bench = Bench(f"http://127.0.0.1:{port}", 5.0, clock=clock)
    try:
        asking = asyncio.ensure_future(bench.client.get("/x"))
        await eventually(lambda: clock.sleepers)
        assert bench.fates() == [(NOT_SENT, 0)]
        await clock.advance(UNREACHABLE_PAUSE_S)
        with pytest.raises(RequestFailed) as failed:
            await asking
        assert failed.value.reason == "unreachable"
        assert bench.client.requests == 0
    finally:
        await close_session(bench.session)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_probe_that_fails_is_the_hosts_failure_and_not_the_jobs(status: int) -> None:
    handler, _ = answers(status)
    async with serving(handler) as bench:
        bench.is_probing = True
        with pytest.raises(RequestFailed) as failure:
            await bench.client.get("/x")
    assert (failure.value.reason, failure.value.snooze_s) == ("host down", 60.0)
    assert bench.regions() == ["eu"]


async def test_a_probe_without_an_answer_is_the_hosts_failure_too() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(handler) as bench:
        bench.is_probing = True
        with pytest.raises(RequestFailed) as failure:
            await bench.client.get("/x", region="us")
    assert failure.value.reason == "host down"
    assert (bench.fates(), bench.regions()) == ([(UNKNOWN, 0)], ["us"])


async def test_a_cancelled_request_says_nothing_about_the_host() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(10)
        return web.Response()

    async with serving(handler) as bench:
        task = asyncio.create_task(bench.client.get("/x"), name="request")
        await eventually(lambda: bench.granted)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert (bench.fates(), bench.regions()) == ([(UNKNOWN, 0)], [""])


def test_a_start_permit_does_not_fit_a_region_whose_host_is_down() -> None:
    permit = Permit(Grant(1, 1, "k", down_regions=("eu",)), lambda message: None, 0.0)
    assert not permit.fits("eu", 0.0)
    assert permit.fits("us", 0.0)


@pytest.mark.parametrize(
    ("headers", "room"),
    [
        ({}, (-1, -1)),
        ({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "59"}, (60, 59)),
        ({"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "0"}, (100, 0)),
        ({"RateLimit-Limit": "many", "RateLimit-Remaining": "5"}, (-1, -1)),
        ({"X-RateLimit-Remaining": "5"}, (-1, -1)),
    ],
)
async def test_rate_limit_headers_are_passed_on(headers: dict[str, str], room: tuple[int, int]) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, headers=headers)

    async with serving(handler) as bench:
        await bench.client.get("/x")
        release = bench.released[0]
    assert isinstance(release, Release)
    assert (release.allowed, release.remaining) == room
