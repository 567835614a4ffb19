"""What browsers, slow clients and crowds may do to the control API."""

# ruff: noqa: E501 - requests are read along the line

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from supervisor.control import door
from supervisor.control.http import ControlServer
from tests.control.fake_face import FakeFace
from tests.control.serving import call, serve
from tests.support.waiting import eventually

READS = ("/workers", "/keys", "/jobs", "/metrics", "/openapi.json", "/queues", "/statistics", "/events")


@asynccontextmanager
async def connected(server: ControlServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def raw(server: ControlServer, request: bytes, within_s: float = 20.0) -> bytes:
    """Send bytes, and return all that comes until the other side closes."""
    async with connected(server) as (reader, writer):
        writer.write(request)
        async with asyncio.timeout(within_s):
            return await reader.read()


@asynccontextmanager
async def with_tokens(face: FakeFace, tmp_path: Path, happened: list[Any]) -> AsyncIterator[ControlServer]:
    tokens = tmp_path / "tokens"
    tokens.write_text("read looker\nadmin changer\n")
    server = serve(face, tmp_path, happened, token_file=str(tokens))
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("path", READS)
async def test_a_name_that_a_stranger_points_at_us_reads_nothing(
    server: ControlServer, face: FakeFace, path: str
) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::1", "", "169.254.1.1"):
        status, answer, _ = await call(server, "GET", path, headers={"Host": host})
        assert status in (400, 403), (host, answer)
    assert face.asked == []


async def test_our_own_names_and_the_probes_are_answered(server: ControlServer) -> None:
    for host in ("127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "127.8.8.8"):
        assert (await call(server, "GET", "/workers", headers={"Host": host}))[0] == 200
    for path in ("/healthz", "/readyz", "/"):
        assert (await call(server, "GET", path, headers={"Host": "some.proxy"}))[0] == 200


async def test_with_a_token_any_name_will_do_and_pages_of_others_still_change_nothing(
    face: FakeFace, tmp_path: Path
) -> None:
    async with with_tokens(face, tmp_path, []) as server:
        own = {"Authorization": "Bearer changer", "Host": "gatherer.example"}
        assert (await call(server, "GET", "/workers", headers=own))[0] == 200
        page = own | {"Origin": "https://gatherer.example", "Sec-Fetch-Site": "same-origin"}
        assert (await call(server, "POST", "/workers/guilds/pause", headers=page))[0] == 200
        for more in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):  # fmt: skip
            assert (await call(server, "POST", "/workers/items/pause", headers=own | more))[0] == 403
        assert face.paused == {"guilds"}


async def test_no_answer_invites_another_site(server: ControlServer) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("OPTIONS", "/jobs"), ("GET", "/workers"), ("GET", "/nowhere"), ("GET", "/")):
        _, _, headers = await call(server, method, path, headers=asked)
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_headers_that_are_no_text_are_refused_and_no_fault_of_ours(
    face: FakeFace, tmp_path: Path, happened: list[tuple[str, dict[str, Any]]]
) -> None:
    head = b"POST /workers/guilds/pause HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n"
    lines = (b"Origin: http://\xff\xfe", b"Host: \xff\xfe", b"Host: [::1", b"Authorization: Bearer \xff", b"Authorization: \xff \xff",
        b"Origin: http://[::1", b"Sec-Fetch-Site: \xff", b"Content-Encoding: \xff")  # fmt: skip
    async with with_tokens(face, tmp_path, happened) as guarded:
        for server in (guarded, serve(face, tmp_path, happened)):
            if server is not guarded:
                await server.start()
            for line in lines:
                more = b"" if line.startswith(b"Host") else b"Host: localhost\r\n"
                answer = await raw(server, head + more + line + b"\r\n\r\n")
                assert answer.split(b" ")[1] in (b"400", b"401", b"403", b"200", b"415"), answer
            for target in (
                b"/jobs?worker=%ff%fe",
                b"/jobs?worker=%ed%a0%80",
                b"/entities/%00",
                b"/entities/..%2f..%2fetc",
                b"/jobs?worker=%",
                b"/%ff",
                b"/jobs/1/wait?timeout_s=" + b"9" * 5000,
            ):
                answer = await raw(
                    server,
                    b"GET "
                    + target
                    + b" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer looker\r\nConnection: close\r\n\r\n",
                )
                assert answer.split(b" ")[1] in (b"200", b"400", b"401", b"404", b"422"), (target, answer)
            if server is not guarded:
                await server.stop()
    assert "request_failed" not in [name for name, _ in happened]


async def test_no_token_reaches_an_event_or_an_answer(face: FakeFace, tmp_path: Path) -> None:
    happened: list[tuple[str, dict[str, Any]]] = []
    answers = []
    async with with_tokens(face, tmp_path, happened) as server:
        for token in ("looker", "changer", "wrong-canary-token"):
            for path in ("/workers", f"/jobs?token={token}", "/jobs/99/wait"):
                answers.append(await call(server, "GET", path, headers={"Authorization": f"Bearer {token}"}))
    texts = repr([answer[:2] for answer in answers if answer[0] != 422]) + repr(happened)
    assert not [token for token in ("looker", "changer", "wrong-canary-token") if token in texts]


async def test_who_sends_a_byte_now_and_then_is_sent_away(
    server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEAD_S", 2.0)  # long enough for a whole head on a busy machine
    monkeypatch.setattr(door, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(door, "BODY_S", 0.3)

    async def drip(opening: bytes) -> bytes:
        heard = b""
        async with connected(server) as (reader, writer):
            writer.write(opening)
            dripping = asyncio.create_task(_drip(writer))
            try:
                async with asyncio.timeout(20.0):
                    while piece := await reader.read(1000):
                        heard += piece
            except ConnectionError:
                pass  # what still drips meets a closed connection
            finally:
                dripping.cancel()
        return heard

    own = b"Host: localhost\r\n"
    nothing, head, body = await asyncio.gather(
        drip(b""),
        drip(b"GET /workers HTTP/1.1\r\n"),
        drip(b"POST /jobs HTTP/1.1\r\n" + own + b"Content-Length: 1000\r\n\r\n"),
    )
    assert {answer.split(b" ")[1] for answer in (nothing, head) if answer} <= {b"400"}
    assert body.startswith(b"HTTP/1.1 408 ")
    assert (await call(server, "GET", "/healthz"))[0] == 200


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.05)


async def test_a_kept_connection_may_rest_and_then_ends(server: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "IDLE_S", 0.3)
    async with connected(server) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b'{"ok": true}')
        async with asyncio.timeout(20.0):
            assert await reader.read() == b""


async def test_a_compressed_body_is_not_unpacked(server: ControlServer, face: FakeFace) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    for encoding in ("gzip", "deflate", "br", "GZIP", "gzip, gzip"):
        headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
        status, answer, _ = await call(server, "POST", "/jobs", data=bomb, headers=headers)
        assert (status, "Content-Encoding" in answer["detail"]) == (415, True)
    assert face.asked == []


async def test_a_full_door_says_so_and_the_other_one_stays_open(
    face: FakeFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MAX_CONNECTIONS", 8)
    server = serve(face, tmp_path, [])
    await server.start()
    async with AsyncExitStack() as held:
        for _ in range(8):
            await held.enter_async_context(connected(server))
        await eventually(lambda: refused(server))
        answer = await raw(server, b"")
        connector = aiohttp.UnixConnector(str(tmp_path / "control.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get("http://localhost/workers") as other,
        ):
            assert other.status == 200
    head, body = answer.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert json.loads(body)["status"] == 503
    assert f"Content-Length: {len(body)}".encode() in head
    await eventually(lambda: is_open(server))
    await server.stop()


async def refused(server: ControlServer) -> bool:
    return not await is_open(server)


async def is_open(server: ControlServer) -> bool:
    return (await call(server, "GET", "/healthz"))[0] == 200


async def test_pages_that_watch_are_bounded(server: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.control.dashboard.stream.MAX_STREAMS", 3)
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{server.port}/events"
        watching = [await session.get(url) for _ in range(4)]
        assert [answer.status for answer in watching] == [200, 200, 200, 503]
        for answer in watching:
            answer.close()


async def test_a_broken_request_is_told_to_its_sender_and_not_to_our_log(
    server: ControlServer, happened: list[tuple[str, dict[str, Any]]], caplog: pytest.LogCaptureFixture
) -> None:
    own = b"Host: localhost\r\n"
    for request in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nAuthorization canary\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\n" + own + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /jobs HTTP/1.1\r\n" + own + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\n" + own + b"Content-Length: -1\r\n\r\n", b"POST /jobs HTTP/1.1\r\n" + own + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"):  # fmt: skip
        answer = await raw(server, request)
        assert answer.split(b" ")[1][:1] == b"4", (request[:60], answer[:200])
    async with connected(server) as (_, writer):
        writer.write(b"POST /jobs HTTP/1.1\r\n" + own + b"Content-Length: 100\r\n\r\nhalf")
        await writer.drain()
    assert (await call(server, "GET", "/healthz"))[0] == 200
    assert caplog.records == []
    assert "request_failed" not in [name for name, _ in happened]
