"""What happens before an answer, where the credential may go, and how much memory an answer may take."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from supervisor.core.messages.replica_supervisor import NOT_SENT
from tests.faults.cast import Cast
from tests.faults.matrix import MEGABYTE, status
from tests.faults.rig import Rig, rig

pytestmark = pytest.mark.slow

CONNECT_S = 0.3
HUGE: dict[str, dict[str, Any]] = {
    "100 MB": {"do": "endless", "bytes": 100 * MEGABYTE},
    "without end": {"do": "endless"},
    "small gzip": {"do": "bomb", "bytes": 300 * MEGABYTE},
}


class Resolver(AbstractResolver):
    """Knows no host; answers so after a while."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        await asyncio.sleep(self._after_s)
        raise OSError("Name or service not known")

    async def close(self) -> None:
        pass


@asynccontextmanager
async def listening(answer: bytes | None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Yield the port of a server that says `answer` to whatever comes (None = nothing, for ever), and what came."""
    came: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        came.append(await reader.read(65_536))
        if answer is not None:
            writer.write(answer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], came
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path) as started:
        yield started


async def unreachable(running: Rig, base_url: str) -> None:
    """A job that gets no connection waits, has spent no attempt, and its permits go back unsent."""
    running.api["base_url"] = base_url
    entity = running.simulator.gateway.world.numbered("eu", 5).entity
    job = await running.run("characters", entity)
    assert (job["outcome"], job["attempt"], job["requests"]) == ("snooze", 0, 0)
    assert "unreachable" in job["note"], job
    assert {end.fate for end in running.replicas["characters"].released} == {NOT_SENT}
    assert await running.rows("SELECT * FROM characters") == []


@pytest.mark.parametrize("after_s", [0.0, 60.0])
async def test_a_name_that_cannot_be_looked_up_is_no_fault_of_the_job(
    running: Rig, after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector: Any = running.replicas["characters"].session.connector
    monkeypatch.setattr(connector, "_resolver", Resolver(after_s))
    monkeypatch.setattr("supervisor.worker.client.CONNECT_TIMEOUT_S", CONNECT_S)
    await unreachable(running, "http://api.example")


async def test_a_server_without_tls_is_unreachable(running: Rig) -> None:
    async with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, came):
        await unreachable(running, f"https://127.0.0.1:{port}")
    assert not any(b"Bearer" in each for each in came)


async def test_a_tls_handshake_that_never_ends_is_unreachable(running: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.worker.client.CONNECT_TIMEOUT_S", CONNECT_S)
    async with listening(None) as (port, _):
        await unreachable(running, f"https://127.0.0.1:{port}")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_the_credential_does_not_follow_a_redirect(running: Rig, code: int) -> None:
    async with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (port, came):
        running.faults(status(code, body="", headers={"Location": f"http://127.0.0.1:{port}/x"}))
        job = await running.run("characters", running.simulator.gateway.world.numbered("eu", 5).entity)
    assert (job["outcome"], job["error"]) == ("retry", f"character/status: HTTP {code}")
    assert came == []


@pytest.mark.parametrize("fault", HUGE.values(), ids=HUGE)
@pytest.mark.parametrize(("worker", "most_mb"), [("characters", 48), ("auctions", 336)])
async def test_an_answer_takes_no_more_memory_than_it_may(
    running: Rig, worker: str, most_mb: int, fault: dict[str, Any]
) -> None:
    known = dict(Cast(running).known)
    running.faults(fault)
    assert (await running.run("guilds", known["guilds"]))["outcome"] == "retry"  # the API has made its bomb now
    tracemalloc.start()
    try:
        job = await running.run(worker, known[worker], max_age_s=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "too large" in job["error"], job
    assert peak < most_mb * MEGABYTE, f"{peak / MEGABYTE:.0f} MB"
