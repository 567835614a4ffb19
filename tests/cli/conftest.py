"""Commands against a real control socket with a program in memory behind it."""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.cli.main import gatherer
from supervisor.control.dashboard.stream import Stream
from supervisor.control.http import ControlServer
from supervisor.core.clock import SystemClock
from supervisor.core.events import Events
from supervisor.settings.config import Server
from tests.cli.calling import Call
from tests.control.fake_face import FakeFace

STARTED_WITHIN_S = 10.0


@pytest.fixture
def face() -> FakeFace:
    return FakeFace()


@pytest.fixture
def run_dir(face: FakeFace) -> Iterator[Path]:
    """A short folder (a socket's path has 108 bytes) with a served control.sock in it."""
    with tempfile.TemporaryDirectory(prefix="gatherer-test-") as folder:
        ready, stop = threading.Event(), asyncio.Event()
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            server = ControlServer(
                face=face,
                metrics=lambda: b"",
                stream=Stream(face=face, samples=(), clock=SystemClock()),
                server=Server(listen="127.0.0.1:0"),
                run_dir=Path(folder),
                events=Events(),
            )
            await server.start()
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stop.wait()
            await server.stop()

        thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        thread.start()
        assert ready.wait(STARTED_WITHIN_S)
        yield Path(folder)
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(STARTED_WITHIN_S)


@pytest.fixture
def call(run_dir: Path) -> Call:
    """Run a command against the daemon in memory; text or bytes for stdin."""

    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(gatherer, [*arguments, "--run-dir", str(run_dir)], input=stdin)

    return invoke
