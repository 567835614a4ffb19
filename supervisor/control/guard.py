"""Who may ask over TCP. The Unix socket needs no guard: its folder has mode 0700.

    without token_file   everybody on this host may read and change, but only by one of our own names (Host)
    with token_file      lines "TOKEN" or "admin TOKEN" (may change), "read TOKEN" (may look); # comments
    always               a change may not come from another site's page (Origin, Sec-Fetch-Site)

The names and the last line are for browsers: any web page may send a POST to 127.0.0.1, and through a name of its
own that it points there (DNS rebinding) it may even read the answers. It can send no token, so with tokens any name
will do, and a reverse proxy need not hide its own.
"""

import hmac
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from supervisor.control.dashboard import assets
from supervisor.control.problems import Handler, problem
from supervisor.core.errors import ConfigurationError
from supervisor.settings.network import is_loopback

# The page's files hold no data; what they show is asked for with the token.
OPEN_PATHS = {"/healthz", "/readyz", *assets.load()}
READING = {"GET", "HEAD"}
ANSWER_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Let a request pass, or say why not."""

    def __init__(self, *, host: str, readers: Iterable[str] = (), admins: Iterable[str] = ()) -> None:
        self._names = {host, "localhost"}
        self._admins = tuple(token.encode() for token in admins)
        self._all = (*self._admins, *(token.encode() for token in readers))

    @classmethod
    def from_file(cls, host: str, token_file: Path | None) -> "Guard":
        """Read the tokens. ConfigurationError: no readable token, or an open address without any."""
        if token_file is None:
            if not is_loopback(host):
                raise ConfigurationError([f"server.listen: {host} is open to the network and needs server.token_file"])
            return cls(host=host)
        try:
            lines = [line.split() for line in token_file.read_text().splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError([f"server.token_file: {token_file}: {error}"]) from error
        words = [line for line in lines if line and not line[0].startswith("#")]
        readers = [line[1] for line in words if len(line) == 2 and line[0] == "read"]
        admins = [line[-1] for line in words if len(line) == 1 or line[0] == "admin"]
        if not readers and not admins:
            raise ConfigurationError([f"server.token_file: {token_file}: no token in it"])
        return cls(host=host, readers=readers, admins=admins)

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer 401 or 403 in the handler's place when the request may not pass."""
        if request.path in OPEN_PATHS and request.method in READING:
            return await handler(request)
        refusal = self._refusal(request)
        return refusal if refusal is not None else await handler(request)

    def _refusal(self, request: web.Request) -> web.Response | None:
        is_change = request.method not in READING
        if self._all and not _holds(request, self._all):
            answer = problem(HTTPStatus.UNAUTHORIZED, "send Authorization: Bearer TOKEN; changes need an admin token")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        if self._all and is_change and not _holds(request, self._admins):
            return problem(HTTPStatus.FORBIDDEN, "this token may look; a change needs an admin token")
        if not self._all and not self._is_our_name(request.host):
            sentence = f"ask one of our own addresses, not {request.host}; other names need server.token_file"
            return problem(HTTPStatus.FORBIDDEN, sentence)
        if is_change and not _is_own_page(request):
            origin = request.headers.get("Origin", "another site")
            return problem(HTTPStatus.FORBIDDEN, f"a page of {origin} may not change anything here")
        return None

    def _is_our_name(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:  # such as "[::1"
            return False
        return name in self._names or is_loopback(name)


async def guard_answer(request: web.Request, answer: web.StreamResponse) -> None:
    """Tell browsers what no answer of ours is for; the page's own files say more (`dashboard/assets.py`)."""
    for name, value in ANSWER_HEADERS.items():
        answer.headers.setdefault(name, value)


def _is_own_page(request: web.Request) -> bool:
    """Tell whether a page of this very address sends the request, or no page at all."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host


def _holds(request: web.Request, tokens: tuple[bytes, ...]) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    offered = given.strip().encode(errors="surrogateescape")  # as aiohttp decoded the header's bytes
    # Compared with every token, in constant time each: no early end tells which was nearly right.
    matches = [hmac.compare_digest(offered, token) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)
