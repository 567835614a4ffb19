"""The control API on a free port, and one request to it."""

from pathlib import Path
from typing import Any

import aiohttp

from supervisor.control.dashboard.stream import Stream
from supervisor.control.http import ControlServer
from supervisor.core.clock import SystemClock
from supervisor.core.events import Events
from supervisor.settings.config import Server
from tests.control.fake_face import FakeFace


def serve(face: FakeFace, run_dir: Path, happened: Any, **settings: Any) -> ControlServer:
    events = Events()
    events.subscribe(lambda name, fields: happened.append((name, fields)))
    return ControlServer(
        face=face,
        metrics=lambda: b"gatherer_up 1\n",
        stream=Stream(face=face, samples=(), clock=SystemClock()),
        server=Server(**{"listen": "127.0.0.1:0"} | settings),
        run_dir=run_dir,
        events=events,
    )


async def call(server: ControlServer, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
    """Return status, body (parsed when it is JSON) and headers."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://127.0.0.1:{server.port}{path}", **more) as answer,
    ):
        is_json = "json" in answer.content_type
        return answer.status, await (answer.json(content_type=None) if is_json else answer.text()), answer.headers
