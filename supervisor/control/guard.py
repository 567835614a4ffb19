"""Who may ask over TCP. The Unix socket needs no guard: its folder has mode 0700.

    without token_file   everybody on this host may read and change
    with token_file      lines "TOKEN" or "admin TOKEN" (may change), "read TOKEN" (may look); # comments
    always               a change must come to one of our own names, and not from another site's page

The last line is for browsers: any web page may send a POST to 127.0.0.1, also through a name of its
own that it points there (DNS rebinding); Host and Origin give both away.
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


class Guard:
    """Let a request pass, or say why not."""

    def __init__(self, *, host: str, readers: Iterable[str] = (), admins: Iterable[str] = ()) -> None:
        self._names = {host, "localhost"} if is_loopback(host) else None
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
        if is_change and not self._is_our_name(request.host):
            return problem(HTTPStatus.FORBIDDEN, f"a change must be sent to our own address, not to {request.host}")
        origin = request.headers.get("Origin")
        if is_change and origin is not None and urlsplit(origin).netloc != request.host:
            return problem(HTTPStatus.FORBIDDEN, f"a page of {origin} may not change anything here")
        return None

    def _is_our_name(self, host: str) -> bool:
        if self._names is None:  # listening to the network: our names are not known, the token is the wall
            return True
        name = urlsplit(f"//{host}").hostname or ""
        return name in self._names or is_loopback(name)


def _holds(request: web.Request, tokens: tuple[bytes, ...]) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    offered = given.strip().encode()
    # Compared with every token, in constant time each: no early end tells which was nearly right.
    matches = [hmac.compare_digest(offered, token) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)
