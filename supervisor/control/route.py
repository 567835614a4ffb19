"""One address of the control API: who answers, what may be asked, what is answered. Data for server and OpenAPI.

    Route("GET", "/jobs", list_jobs, {200: JobPage}, query=JobsQuery)

query, body and answers are types of msgspec. The query is checked by its type before the handler sees it; bodies are
checked by whoever takes them, with the very type that is named here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from supervisor.control.problems import Handler
from supervisor.core.errors import UsageError

READING = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Route:
    """An address. path: as aiohttp writes it, "/jobs/{id:\\d+}".

    answers: status → type of the JSON, several of them, or a media type for what is no JSON. bodies: the types that
    are taken, () = no body. does: one sentence, "" = the first line of the handler's docstring. asks_database: the
    answer is the database's, which may be away.
    """

    method: str
    path: str
    handler: Handler
    answers: Mapping[int, Any]
    query: type[msgspec.Struct] | None = None
    bodies: tuple[Any, ...] = ()
    does: str = ""
    asks_database: bool = False

    @property
    def is_change(self) -> bool:
        """Tell whether the request may change anything."""
        return self.method not in READING

    @property
    def summary(self) -> str:
        """Return what the address does, in one sentence."""
        return self.does or (self.handler.__doc__ or "").partition("\n")[0]

    def definition(self) -> web.RouteDef:
        """Return the route for aiohttp."""
        return web.route(self.method, self.path, _checked(self.query, self.handler))


def _checked(query: type[msgspec.Struct] | None, handler: Handler) -> Handler:
    if query is None:
        return handler

    async def checked(request: web.Request) -> web.StreamResponse:
        try:
            msgspec.convert(dict(request.query), query, strict=False)
        except msgspec.ValidationError as error:
            raise UsageError(f"query: {error}") from error
        return await handler(request)

    return checked
