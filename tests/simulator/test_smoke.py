"""The whole simulator on a real socket, with a clock that the test turns."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from jobs.simulator.simulator import Simulator
from jobs.simulator.world.characters import Character
from tests.simulator.worlds import OPTIONS
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

TOKEN_FORM = {"grant_type": "client_credentials"}


@dataclass
class Caller:
    """A client of the simulator with its token."""

    simulator: Simulator
    session: aiohttp.ClientSession
    clock: FakeClock
    token: str = ""

    async def log_in(self, secret: str = "secret") -> int:
        basic = base64.b64encode(f"client:{secret}".encode()).decode()
        url = self.simulator.token_url
        async with self.session.post(url, data=TOKEN_FORM, headers={"Authorization": f"Basic {basic}"}) as answer:
            self.token = (await answer.json()).get("access_token", "")
            return answer.status

    async def get(self, path: str, namespace: str = "profile-eu", **headers: str) -> tuple[int, Any, bytes]:
        sent = {"Authorization": f"Bearer {self.token}", "Battlenet-Namespace": namespace, **headers}
        url = f"{self.simulator.base_url}{path}"
        async with self.session.get(url, headers={k: v for k, v in sent.items() if v}) as answer:
            return answer.status, answer.headers, await answer.read()

    async def control(self, what: str, body: Any = None) -> Any:
        url = f"{self.simulator.base_url}/_simulator/{what}"
        request = self.session.get(url) if body is None else self.session.post(url, json=body)
        async with request as answer:
            return await answer.json()

    def someone(self, state: str = "valid") -> Character:
        world = self.simulator.gateway.world
        return next(c for c in (world.numbered("eu", n) for n in range(400)) if c.state == state)


@pytest.fixture
async def caller(clock: FakeClock) -> AsyncIterator[Caller]:
    simulator = Simulator(
        replace(OPTIONS, per_second=5, keep_arrivals=True, world_start=1_790_000_000.0), clock.monotonic
    )
    await simulator.start()
    async with aiohttp.ClientSession() as session:
        made = Caller(simulator, session, clock)
        await made.log_in()
        yield made
    await simulator.stop()


def path_of(character: Character, part: str = "") -> str:
    return f"/profile/wow/character/{quote(character.realm.slug)}/{quote(character.name.lower())}{part}"


async def test_valid_character_is_answered_with_the_headers_of_the_api(caller: Caller) -> None:
    status, headers, body = await caller.get(path_of(caller.someone(), "/status?locale=en_GB"))
    assert status == 200
    assert b'"is_valid":true' in body
    assert headers["battlenet-namespace"] == "profile-eu"
    assert headers["battlenet-schema"] == "character-status"
    assert "Last-Modified" in headers
    assert "ETag" not in headers


async def test_body_is_compressed_only_for_who_accepts_it(caller: Caller) -> None:
    path = path_of(caller.someone(), "/collections/mounts?locale=en_GB")
    _, packed, body = await caller.get(path, **{"Accept-Encoding": "gzip"})
    _, plain, same = await caller.get(path, **{"Accept-Encoding": "identity"})
    assert packed["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain
    assert body == same


async def test_sixth_request_in_a_second_is_refused_and_counted(caller: Caller) -> None:
    path = path_of(caller.someone(), "/status")
    statuses = [(await caller.get(path))[0] for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]  # the token request was the first of five
    await caller.clock.advance(1.0)
    assert (await caller.get(path))[0] == 200
    seen = (await caller.control("statistics"))["clients"]["client"]
    assert seen["by_status"] == {"200": 6, "429": 2}
    assert (seen["requests"], seen["refused_second"], seen["peak_second"], seen["hour"]) == (8, 2, 7, 6)


async def test_moment_of_each_request_is_kept_for_an_audit(caller: Caller) -> None:
    path = path_of(caller.someone(), "/status")
    logged_in_at = caller.clock.monotonic()
    await caller.clock.advance(1.0)
    for _ in range(6):
        await caller.get(path)
    kept = (await caller.control(f"arrivals?after={logged_in_at}"))["client"]
    assert kept == [logged_in_at + 1.0] * 6
    assert len((await caller.control("arrivals"))["client"]) == 7


async def test_wrong_secret_is_refused_and_a_revoked_token_ends(caller: Caller) -> None:
    token = caller.token
    assert await caller.log_in("wrong") == 401
    caller.token = token
    assert await caller.control("revoke", {"client": "client"}) == {"revoked": 1}
    status, _, body = await caller.get(path_of(caller.someone()))
    assert (status, body) == (401, b'{"code":401,"type":"BLZWEBAPI00000401","detail":"Unauthorized"}')
    assert await caller.log_in() == 200
    assert (await caller.get(path_of(caller.someone())))[0] == 200


async def test_token_ends_with_its_life(caller: Caller) -> None:
    await caller.clock.advance(86_399.0)
    assert (await caller.get(path_of(caller.someone())))[0] == 401


async def test_wrong_questions_get_the_errors_of_the_api(caller: Caller) -> None:
    path = path_of(caller.someone())
    forbidden = b'{"code":403,"type":"BLZWEBAPI00000403","detail":"Forbidden"}'
    for namespace in ("", "dynamic-eu", "profile-cn"):
        assert (await caller.get(path, namespace=namespace))[0::2] == (403, forbidden)
        await caller.clock.advance(1.0)
    status, _, body = await caller.get(path_of(caller.someone("missing"), "/status"))
    assert (status, len(body)) == (404, 60)
    assert (await caller.get(path_of(caller.someone("invalid"), "/status")))[0] == 200
    assert (await caller.get(path_of(caller.someone("invalid"))))[0] == 404
    caller.token = ""
    assert (await caller.get(f"{path}?access_token=x", Authorization=""))[0::2] == (404, b"")


async def test_unchanged_auctions_are_not_sent_again(caller: Caller) -> None:
    path = "/data/wow/connected-realm/500/auctions"
    _, headers, body = await caller.get(path, "dynamic-eu")
    since = {"If-Modified-Since": headers["Last-Modified"]}
    assert len(body) > 10_000
    assert (await caller.get(path, "dynamic-eu", **since))[0::2] == (304, b"")
    await caller.control("world", {"advance_s": 3600})
    status, newer, _ = await caller.get(path, "dynamic-eu", **since)
    assert status == 200
    assert newer["Last-Modified"] != headers["Last-Modified"]


async def test_faults_come_as_asked(caller: Caller) -> None:
    path = path_of(caller.someone(), "/collections/pets")
    kinds = ("empty404", "html", "malformed", "reset", "reset", "cut")  # aiohttp sends a GET again after one reset
    rules = [{"match": "pets", "do": kind, "times": 1} for kind in kinds]
    await caller.control("faults", [*rules, {"match": "pets", "do": "status", "status": 503, "times": 1}])
    assert (await caller.get(path))[0::2] == (404, b"")
    assert b"<html>" in (await caller.get(path))[2]
    assert not (await caller.get(path))[2].endswith(b"}")
    await caller.clock.advance(1.0)
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await caller.get(path)
    assert (await caller.get(path))[0] == 503
    assert (await caller.get(path))[0] == 200


async def test_request_that_is_given_up_is_counted_as_aborted(caller: Caller) -> None:
    await caller.control("faults", [{"match": "status", "do": "delay", "seconds": 60}])
    tally = caller.simulator.gateway.clients.known["client"].tally
    call = asyncio.create_task(caller.get(path_of(caller.someone(), "/status")))
    await eventually(lambda: tally.requests == 2)
    call.cancel()
    counts = caller.simulator.gateway.endpoints["character-status"]
    await eventually(lambda: counts["aborted"] == 1)


async def test_pipelined_requests_are_counted_on_arrival_and_answered_in_order(caller: Caller) -> None:
    await caller.control("faults", [{"match": "summary", "do": "delay", "seconds": 0.05}])
    someone = caller.someone()
    head = f"Host: x\r\nAuthorization: Bearer {caller.token}\r\nBattlenet-Namespace: profile-eu\r\n\r\n"
    both = [f"GET {path_of(someone, part)}?locale=en_GB HTTP/1.1\r\n{head}" for part in ("", "/status")]
    port = int(caller.simulator.base_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("".join(both).encode())
    bodies = [await read_body(reader), await read_body(reader)]
    writer.close()
    await writer.wait_closed()
    assert b'"achievement_points"' in bodies[0]
    assert b'"is_valid":true' in bodies[1]
    assert caller.simulator.gateway.clients.known["client"].tally.peak_second == 3


async def read_body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))


async def test_entities_of_the_world_can_be_listed(caller: Caller) -> None:
    listed = await caller.control("characters?region=eu&limit=3&after=10")
    assert len(listed["entities"]) == 3
    assert listed["next"] == 13
    assert (await caller.control("guilds?region=eu&limit=1"))["entities"][0].startswith("eu/")
    assert "error" in await caller.control("characters?region=mars")
