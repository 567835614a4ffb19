"""Ask the running daemon over its Unix socket, with the standard library's HTTP client: it starts in 20 ms."""

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from supervisor.core.errors import GathererError, RefusedError, UnavailableError, UsageError, WireError

ANSWER_S = 35.0


class RejectedError(UsageError):
    """Say that the daemon found the request wrong; errors: [{"line", "reason"}] when it told them apart."""

    def __init__(self, sentence: str, errors: list[dict[str, Any]]) -> None:
        super().__init__(sentence)
        self.errors = errors


class Daemon:
    """One running daemon. Each call is one connection; nothing is kept open."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, timeout_s: float = ANSWER_S) -> Any:
        """Return the JSON at `path`. Errors as in `ask`."""
        return self.ask("GET", path, params, timeout_s=timeout_s)

    def post(self, path: str, params: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """Send `body` as JSON and return the answer's. Errors as in `ask`."""
        return self.ask("POST", path, params, body)

    def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        *,
        timeout_s: float = ANSWER_S,
    ) -> Any:
        """Send one request; params that are None are left out.

        RejectedError, RefusedError, UnavailableError: the daemon's own words. UnavailableError also when
        it is gone or silent; a change may then have happened or not.
        """
        query = urlencode({name: value for name, value in (params or {}).items() if value is not None})
        target = quote(path, safe="/#") + (f"?{query}" if query else "")
        payload = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        status, raw = self._exchange(method, target, payload, timeout_s)
        try:
            answer = json.loads(raw)
        except ValueError as error:
            raise WireError(f"the daemon's answer to {method} {path} is no JSON: {raw[:80]!r}") from error
        if status >= http.client.BAD_REQUEST and not (path == "/readyz" and "ready" in answer):
            raise _error_of(status, answer)
        return answer

    def _exchange(self, method: str, target: str, payload: bytes | None, timeout_s: float) -> tuple[int, bytes]:
        connection = _UnixConnection(self._socket_path, timeout_s)
        headers = {} if payload is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, target, payload, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise UnavailableError(f"no Gatherer is running at {self._socket_path}; start one: gatherer run") from error
        except PermissionError as error:
            raise RefusedError(f"{self._socket_path} belongs to another user; try sudo -u gatherer") from error
        except TimeoutError as error:
            raise UnavailableError(f"no answer within {timeout_s:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"the daemon ended in the middle of an answer ({error!r})") from error
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _error_of(status: int, answer: Any) -> GathererError:
    fields = answer if isinstance(answer, dict) else {}
    sentence = str(fields.get("detail") or fields.get("title") or f"HTTP {status}")
    if status in (http.client.SERVICE_UNAVAILABLE, http.client.GATEWAY_TIMEOUT, http.client.TOO_MANY_REQUESTS):
        return UnavailableError(sentence)
    if status in (http.client.BAD_REQUEST, http.client.UNPROCESSABLE_ENTITY, http.client.REQUEST_ENTITY_TOO_LARGE):
        return RejectedError(sentence, fields.get("errors") or [])
    if status < http.client.INTERNAL_SERVER_ERROR:
        return RefusedError(sentence)
    return GathererError(sentence)
