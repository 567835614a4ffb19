"""The page's files: read and compressed once, sent with an ETag.

They hold no data and no secret, so they are served to everybody; what they show comes from addresses that
are guarded. Nothing is fetched from elsewhere (Content-Security-Policy), so the page works offline.
uplot.js and uplot.css are uPlot 1.6.32 (MIT, static/uplot.LICENSE), as its package has them.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from aiohttp import web

from supervisor.control.problems import Handler

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Asked for anew each time, answered 304: an upgrade must not meet yesterday's script.
    "Cache-Control": "no-cache",
}
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file. compressed: gzip of `body`."""

    content_type: str
    body: bytes
    compressed: bytes
    etag: str


def load() -> Mapping[str, Asset]:
    """Return all files by their address: "/" and "/dashboard/NAME"."""
    found: dict[str, Asset] = {}
    for file in resources.files(__package__).joinpath("static").iterdir():
        kind = TYPES.get(file.name.rpartition(".")[2])
        if kind is None:
            continue
        address = "/" if file.name == "index.html" else f"/dashboard/{file.name}"
        found[address] = _asset(kind, file.read_bytes())
    return found


def routes() -> list[web.RouteDef]:
    """Return a route for each file."""
    return [web.get(address, _handler(asset)) for address, asset in load().items()]


def _asset(kind: str, body: bytes) -> Asset:
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return Asset(content_type=kind, body=body, compressed=gzip.compress(body, 9, mtime=0), etag=etag)


def _handler(asset: Asset) -> Handler:
    async def send(request: web.Request) -> web.Response:
        headers = HEADERS | {"ETag": asset.etag, "Vary": "Accept-Encoding"}
        if request.headers.get("If-None-Match") == asset.etag:
            return web.Response(status=304, headers=headers)
        body = asset.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = asset.compressed
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers, content_type=asset.content_type, charset="utf-8")

    return send
