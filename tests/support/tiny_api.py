"""A tiny API: temperatures of stations, 60 requests a minute and 5,000 a day for each way to prove oneself.

    GET  /WAY/stations/NAME    200 {"temperature": …}, 404 for "nowhere", 401 without proof, 429 beyond the limits
    POST /token                a token for the way "client_credentials"

WAY: bearer, header, query, basic, client_credentials, none. Counts on arrival, refused requests too.
"""

import json
import threading
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LIMITS = ((60, 60.0), (5000, 86_400.0))
CLIENT_ID = "station-reader"
TOKEN = "a-token-of-the-tiny-api"


class TinyApi(ThreadingHTTPServer):
    """The server. by_status: {(way, status): requests}."""

    daemon_threads = True

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.by_status: Counter[tuple[str, int]] = Counter()
        self._secret = secret
        self._arrivals: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def judge(self, way: str, headers: dict[str, str], query: dict[str, list[str]]) -> int:
        """Count one request and return its status: 200, 401 or 429."""
        with self._lock:
            arrivals = self._arrivals.setdefault(way, deque())
            now = time.monotonic()
            is_over = any(sum(at > now - per_s for at in arrivals) >= most for most, per_s in LIMITS)
            arrivals.append(now)
            status = 429 if is_over else 200 if self._is_proven(way, headers, query) else 401
            self.by_status[way, status] += 1
            return status

    def is_client(self, authorization: str) -> bool:
        return authorization == "Basic " + b64encode(f"{CLIENT_ID}:{self._secret}".encode()).decode()

    def _is_proven(self, way: str, headers: dict[str, str], query: dict[str, list[str]]) -> bool:
        authorization = headers.get("Authorization", "")
        return {
            "bearer": authorization == f"Bearer {self._secret}",
            "header": headers.get("X-Api-Key") == self._secret,
            "query": query.get("api_key") == [self._secret],
            "basic": self.is_client(authorization),
            "client_credentials": authorization == f"Bearer {TOKEN}",
            "none": not authorization,
        }[way]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TinyApi

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        _, way, _, station = parts.path.split("/")
        status = self.server.judge(way, dict(self.headers), parse_qs(parts.query))
        if status == 200 and station == "nowhere":
            status = 404
        self._answer(status, {"temperature": float(len(station))} if status == 200 else {"error": status})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        is_right = self.server.is_client(self.headers.get("Authorization", ""))
        self._answer(200 if is_right else 401, {"access_token": TOKEN, "expires_in": 3600} if is_right else {})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test asks `by_status`."""


@contextmanager
def tiny_api(secret: str) -> Iterator[TinyApi]:
    """Serve while the block lasts."""
    with TinyApi(secret) as server:
        thread = threading.Thread(target=server.serve_forever, name="tiny api", daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)
