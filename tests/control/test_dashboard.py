"""The page's files and the stream behind it."""

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from supervisor.control.dashboard import assets
from supervisor.control.dashboard.history import History
from supervisor.control.dashboard.stream import Stream
from supervisor.control.http import ControlServer
from supervisor.core.clock import SystemClock
from supervisor.core.events import Events
from supervisor.limiter.statistics import LimiterStatistics
from supervisor.settings.config import Server
from tests.control.fake_face import FakeFace
from tests.control.snapshots import key_of, permits_of, snapshot_of
from tests.support.clock import FakeClock

SAMPLES = [{"at": 1.0, "jobs": {"items": 3}}]


@pytest.fixture
def face() -> FakeFace:
    return FakeFace()


@pytest.fixture
def stream(face: FakeFace) -> Stream:
    return Stream(face=face, samples=SAMPLES, clock=SystemClock())


@pytest.fixture
async def address(face: FakeFace, stream: Stream, tmp_path: Path) -> AsyncIterator[str]:
    (tmp_path / "tokens").write_text("read looking\nadmin changing\n")
    server = ControlServer(
        face=face,
        metrics=lambda: b"",
        stream=stream,
        server=Server(listen="127.0.0.1:0", token_file=str(tmp_path / "tokens")),
        run_dir=tmp_path,
        events=Events(),
    )
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer looking"}) as session:
        yield session


async def event_of(answer: aiohttp.ClientResponse) -> tuple[str, Any]:
    """Return the next event's name and data."""
    name = ""
    async for line in answer.content:
        word, _, rest = line.decode().rstrip("\n").partition(": ")
        if word == "event":
            name = rest
        elif word == "data":
            return name, json.loads(rest)
    return "end", None


async def test_the_page_needs_no_token_and_brings_a_policy_that_lets_nothing_in_from_elsewhere(address: str) -> None:
    async with aiohttp.ClientSession() as stranger, stranger.get(address + "/") as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<title>Gatherer</title>" in await answer.text()


async def test_everything_the_page_names_is_there_and_ours() -> None:
    files = assets.load()
    page = files["/"].body.decode()
    named = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert named
    assert {"/" + name for name in named} <= files.keys()
    for address, asset in files.items():
        for name in re.findall(r'from "\./([^"]+)"', asset.body.decode()):
            assert f"/dashboard/{name}" in files, f"{address} imports {name}"


def test_the_whole_page_travels_in_less_than_120_kilobytes() -> None:
    assert sum(len(asset.compressed) for asset in assets.load().values()) < 120_000


async def test_an_unchanged_file_is_not_sent_again(address: str, session: aiohttp.ClientSession) -> None:
    async with session.get(address + "/dashboard/app.js", auto_decompress=False) as answer:
        etag = answer.headers["ETag"]
        assert b"follow" in gzip.decompress(await answer.read())
    async with session.get(address + "/dashboard/app.js", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304


async def test_the_stream_wants_a_token(address: str) -> None:
    async with aiohttp.ClientSession() as stranger, stranger.get(address + "/events") as answer:
        assert answer.status == 401


async def test_a_page_gets_the_past_and_the_status_at_once(address: str, session: aiohttp.ClientSession) -> None:
    async with session.get(address + "/events") as answer:
        assert answer.content_type == "text/event-stream"
        assert await event_of(answer) == ("history", SAMPLES)
        name, status = await event_of(answer)
        assert (name, status["pid"], status["sample"]) == ("status", 4711, SAMPLES[-1])


async def test_each_turn_brings_one_status_and_the_failures_only_when_they_change(
    address: str, session: aiohttp.ClientSession, stream: Stream, face: FakeFace
) -> None:
    async with session.get(address + "/events") as answer:
        for _ in range(2):
            await event_of(answer)
        await stream.run_once()
        assert (await event_of(answer))[0] == "status"
        assert (await event_of(answer))[0] == "failures"
        await stream.run_once()
        await asyncio.sleep(0)
        await stream.run_once()
        assert [(await event_of(answer))[0] for _ in range(2)] == ["status", "status"]


async def test_nothing_is_made_while_nobody_watches(stream: Stream, face: FakeFace) -> None:
    await stream.run_once()
    assert face.asked == []


async def test_a_page_that_went_is_forgotten(address: str, session: aiohttp.ClientSession, stream: Stream) -> None:
    answer = await session.get(address + "/events")
    await event_of(answer)
    assert stream.watching == 1
    answer.close()
    async with asyncio.timeout(10.0):
        while stream.watching:
            await stream.run_once()
            await asyncio.sleep(0)


async def test_a_stop_ends_the_stream(address: str, session: aiohttp.ClientSession, stream: Stream) -> None:
    async with session.get(address + "/events") as answer:
        for _ in range(2):
            await event_of(answer)
        stream.close()
        assert (await event_of(answer))[0] in ("status", "end")


def history_of(*keys: Any) -> History:
    """Return a history that has seen one snapshot for each of `keys`, in that order."""
    clock = FakeClock()
    seen = iter([LimiterStatistics(keys=each, workers={"characters": permits_of()}, permits_out=0) for each in keys])
    history = History(snapshot=lambda: snapshot_of(clock, limiter=next(seen)), clock=clock)
    for _ in keys:
        history.run_once()
    return history


def test_a_sample_counts_what_happened_since_the_one_before() -> None:
    before = key_of(statuses={"characters": {"200": 10, "not sent": 5}})
    after = key_of(statuses={"characters": {"200": 14, "429": 1, "not sent": 9}})
    (sample,) = history_of((before,), (after,)).samples
    assert (sample["requests"], sample["refused"], sample["wait_ms"]) == (5, 1, None)


def test_a_key_that_leaves_takes_its_counts_along_without_a_negative_number() -> None:
    (sample,) = history_of((key_of(),), ()).samples
    assert sample["requests"] == 0
