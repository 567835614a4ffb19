"""What each address of the control API does; `addresses.py` has the table of them.

Whatever the database answers passes through unparsed: this process stays free for permits.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from supervisor.control.alerts import answer_to, is_webhook, read_webhook
from supervisor.control.dashboard.stream import Stream
from supervisor.control.face import Face
from supervisor.control.problems import Handler
from supervisor.control.scale import parse
from supervisor.core.errors import UsageError

FACE: web.AppKey[Face] = web.AppKey("face", Face)
METRICS: web.AppKey[Callable[[], bytes]] = web.AppKey("metrics")
EVENT_STREAM: web.AppKey[Stream] = web.AppKey("event stream", Stream)
DOCUMENT: web.AppKey[bytes] = web.AppKey("document", bytes)

MAX_CHANGE_BYTES = 1024 * 1024
MAX_WAIT_S = 60
MAX_BACKUP_S = 640.0
ANSWER_MARGIN_S = 5.0


async def healthz(request: web.Request) -> web.Response:
    """Say that the event loop turns."""
    return web.json_response({"ok": True})


async def readyz(request: web.Request) -> web.Response:
    """Say whether work is taken now; 503 with the reasons when not."""
    reasons = request.app[FACE].reasons_not_ready()
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return web.json_response({"ready": not reasons, "reasons": reasons}, status=status)


async def metrics(request: web.Request) -> web.Response:
    """Return everything in Prometheus' text format."""
    return web.Response(body=request.app[METRICS](), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def events(request: web.Request) -> web.StreamResponse:
    """Follow status and failures as server-sent events."""
    return await request.app[EVENT_STREAM].follow(request)


async def openapi(request: web.Request) -> web.Response:
    """Return this description."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


async def workers(request: web.Request) -> web.Response:
    """Return the whole status."""
    return web.json_response(request.app[FACE].status())


async def sizes(request: web.Request) -> web.Response:
    """Return how many jobs at once and processes each worker shall have, and has."""
    names = ("desired", "effective", "limited_by")
    found = request.app[FACE].status()["workers"]
    return web.json_response({"workers": {name: {n: worker[n] for n in names} for name, worker in found.items()}})


async def scale(request: web.Request) -> web.Response:
    """Change a worker's concurrency or replicas, in force when answered; or take alerts, as /alerts does."""
    body = await _small(request)
    if is_webhook(body):
        return _take(request, body)
    scaled = await request.app[FACE].scale(parse(body))
    return _encoded(scaled, HTTPStatus.OK if scaled.in_force else HTTPStatus.ACCEPTED)


async def take_alerts(request: web.Request) -> web.Response:
    """Give the alerts of a webhook to autoscale; say at once what becomes of them."""
    return _take(request, await _small(request))


async def keys(request: web.Request) -> web.Response:
    """Return the keys' part of the status."""
    status = request.app[FACE].status()
    return web.json_response({"keys": status["keys"], "now": status["now"]})


async def verify_keys(request: web.Request) -> web.Response:
    """Obtain a token with every key, or with ?name=."""
    return web.json_response({"keys": await request.app[FACE].verify_keys(request.query.get("name"))})


async def disable_key(request: web.Request) -> web.Response:
    """Take a key out of use until it is enabled."""
    return web.json_response(await request.app[FACE].set_disabled(request.match_info["key"], True))


async def enable_key(request: web.Request) -> web.Response:
    """Take a disabled key back into use."""
    return web.json_response(await request.app[FACE].set_disabled(request.match_info["key"], False))


async def unlock_key(request: web.Request) -> web.Response:
    """End a key's park or quarantine."""
    return web.json_response(await request.app[FACE].unlock_key(request.match_info["key"]))


async def pause(request: web.Request) -> web.Response:
    """Let a worker start no new jobs."""
    return _answer(await request.app[FACE].set_paused(request.match_info["worker"], True))


async def resume(request: web.Request) -> web.Response:
    """Let a paused worker start jobs again."""
    return _answer(await request.app[FACE].set_paused(request.match_info["worker"], False))


async def restart(request: web.Request) -> web.Response:
    """Replace a worker's replicas."""
    return _answer(await request.app[FACE].restart(request.match_info["worker"]))


async def wait_for_job(request: web.Request) -> web.Response:
    """Answer when the job has ended, at the latest after ?timeout_s= (≤ MAX_WAIT_S)."""
    text = request.query.get("timeout_s", "30")
    if not (text.isascii() and text.isdecimal()):
        raise UsageError(f"timeout_s: expected whole seconds, got {text[:40]!r}")
    timeout_s = min(MAX_WAIT_S, int(text[:9]))
    params = {"id": request.match_info["id"], "timeout_s": str(timeout_s)}
    return _passed(await request.app[FACE].ask("jobs.wait", params, b"", timeout_s + ANSWER_MARGIN_S))


async def back_up(request: web.Request) -> web.Response:
    """Take a backup; a large one takes its time."""
    return _passed(await request.app[FACE].ask("backup", {}, b"", MAX_BACKUP_S))


def question(method: str) -> Handler:
    """Return a handler that puts `method` to the database: URL parts and query are its params, the body its body."""

    async def handler(request: web.Request) -> web.Response:
        params = {**request.query, **request.match_info}
        return _passed(await request.app[FACE].ask(method, params, await request.read()))

    return handler


def _take(request: web.Request, body: bytes) -> web.Response:
    return _encoded(answer_to(request.app[FACE].take_alerts(read_webhook(body))), HTTPStatus.ACCEPTED)


async def _small(request: web.Request) -> bytes:
    """Return the body. HTTPRequestEntityTooLarge: it is read on this loop, so it must not be long."""
    body = await request.read()
    if len(body) > MAX_CHANGE_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_CHANGE_BYTES, len(body))
    return body


def _encoded(answer: msgspec.Struct, status: HTTPStatus) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")


def _passed(answer: tuple[int, bytes]) -> web.Response:
    status, body = answer
    is_error = status >= HTTPStatus.BAD_REQUEST
    return web.Response(
        status=status, body=body, content_type="application/problem+json" if is_error else "application/json"
    )


def _answer(answer: tuple[int, dict[str, Any]]) -> web.Response:
    status, body = answer
    is_error = status >= HTTPStatus.BAD_REQUEST
    return web.json_response(
        body, status=status, content_type="application/problem+json" if is_error else "application/json"
    )
