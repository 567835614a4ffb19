"""Errors over HTTP: application/problem+json (RFC 9457), one shape for every mistake.

{"title": "Unprocessable Entity", "status": 422, "detail": "unknown worker charcters: did you mean characters?"}
"""

import json
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from aiohttp import web

from supervisor.core.errors import (
    ConfigurationError,
    ForbiddenError,
    GathererError,
    MalformedError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UsageError,
)
from supervisor.core.events import Events

EVENTS = web.AppKey("events", Events)
RETRY_AFTER_S = 1

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(status: int, detail: str, **more: Any) -> web.Response:
    """Return an error answer; `more` stands beside title, status and detail."""
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(errors="replace"),  # a header may be no text
        content_type="application/problem+json",
        headers=headers,
    )


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error of a handler into a problem; what nobody foresaw also becomes an event."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _refused_by_router(request, error)
    except ConfigurationError as error:
        detail = "the configuration cannot be used like this, so nothing was changed: " + "; ".join(error.problems)
        return problem(HTTPStatus.CONFLICT, detail, errors=error.problems)
    except GathererError as error:
        return problem(_status_of(error), str(error))
    except Exception as error:
        request.app[EVENTS].emit(
            "request_failed",
            level="error",
            method=request.method,
            path=request.path,
            error=repr(error),
            traceback=traceback.format_exc(),
        )
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of ours; the log has it")


def _status_of(error: GathererError) -> int:
    match error:
        case UnavailableError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case MalformedError():
            return HTTPStatus.BAD_REQUEST
        case UsageError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case NotFoundError():
            return HTTPStatus.NOT_FOUND
        case ForbiddenError():
            return HTTPStatus.FORBIDDEN
        case RefusedError():
            return HTTPStatus.CONFLICT
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def _refused_by_router(request: web.Request, error: web.HTTPException) -> web.Response:
    if error.status == HTTPStatus.NOT_FOUND:
        return problem(error.status, f"nothing at {request.path}")
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        answer = problem(error.status, f"{request.path} does not take {request.method}")
        answer.headers["Allow"] = error.headers.get("Allow", "")
        return answer
    return problem(error.status, error.text or error.reason)
