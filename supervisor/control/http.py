"""The control API's two doors: run_dir/control.sock for our commands, [server].listen for everybody else.

Life: start → serve → stop. It starts first (and answers readyz with 503) and stops last, so that
people can watch a start and a drain.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from supervisor import __version__
from supervisor.control.addresses import ROUTES
from supervisor.control.dashboard import assets
from supervisor.control.dashboard.stream import Stream
from supervisor.control.door import LOGGER, Door, take_body
from supervisor.control.face import Face
from supervisor.control.guard import Guard, guard_answer
from supervisor.control.openapi import document
from supervisor.control.problems import EVENTS, answer_problems
from supervisor.control.routes import DOCUMENT, EVENT_STREAM, FACE, METRICS
from supervisor.core.errors import ConfigurationError
from supervisor.core.events import Events
from supervisor.settings import network
from supervisor.settings.config import Server

CONTROL_SOCKET = "control.sock"
MAX_BODY_BYTES = 8 * 1024 * 1024  # half a frame: the body travels on to the database in one
SHUTDOWN_S = 1.0
LINGER_S = 1.0  # the rest of a body that was refused is read for so long, so that its sender sees the answer


class ControlServer:
    """Serve a `Face` over HTTP. metrics: returns the text of /metrics. stream: answers /events."""

    def __init__(
        self,
        *,
        face: Face,
        metrics: Callable[[], bytes],
        stream: Stream,
        server: Server,
        run_dir: Path,
        events: Events,
    ) -> None:
        self._face = face
        self._stream = stream
        self._metrics = metrics
        self._server = server
        self._socket = run_dir / CONTROL_SOCKET
        self._events = events
        self._runners: list[web.AppRunner] = []
        self._doors: list[Door] = []
        self.port = 0

    async def start(self) -> None:
        """Listen at both doors. ConfigurationError: the address cannot be used, or needs a token and has none."""
        host, port = _address(self._server.listen)
        guard = Guard.from_file(host, Path(self._server.token_file) if self._server.token_file else None)
        self._socket.unlink(missing_ok=True)
        await self._open(self._socket)
        self._socket.chmod(0o600)
        try:
            self.port = await self._open((host, port), guard)
        except OSError as error:
            await self.stop()
            raise ConfigurationError([f"server.listen: {self._server.listen}: {error.strerror}"]) from error
        self._events.emit("control_started", socket=str(self._socket), host=host, port=self.port)

    async def stop(self) -> None:
        """Close both doors; long waits inside are cut after SHUTDOWN_S. Safe when called twice."""
        self._stream.close()
        for door in self._doors:
            door.close()
        runners, self._runners = self._runners, []
        for runner in runners:
            await runner.cleanup()
        self._socket.unlink(missing_ok=True)

    async def _open(self, where: Path | tuple[str, int], guard: Guard | None = None) -> int:
        door = Door()
        guarded = [] if guard is None else [guard.watch]
        app = web.Application(
            middlewares=[answer_problems, door.watch, *guarded, take_body], client_max_size=MAX_BODY_BYTES
        )
        app[FACE], app[METRICS], app[EVENTS] = self._face, self._metrics, self._events
        app[EVENT_STREAM], app[DOCUMENT] = self._stream, msgspec.json.encode(document(ROUTES, __version__))
        app.add_routes([*(route.definition() for route in ROUTES), *assets.routes()])
        app.on_response_prepare.append(guard_answer)
        runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S, lingering_time=LINGER_S,
            auto_decompress=False, logger=LOGGER,
        )  # fmt: skip  # as a table
        await runner.setup()
        self._runners.append(runner)
        self._doors.append(door)
        return await door.open(runner, where)


def _address(listen: str) -> tuple[str, int]:
    address = network.parse(listen)
    if address is None:
        raise ConfigurationError([f"server.listen: expected ADDRESS:PORT, got {listen!r}"])
    return address
