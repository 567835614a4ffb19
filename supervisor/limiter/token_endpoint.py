"""Ask a token endpoint once, with one permit: the only request that the supervisor sends itself."""

from collections.abc import Callable

import aiohttp

from supervisor.core.messages.replica_supervisor import ANSWERED, NOT_SENT, UNKNOWN
from supervisor.limiter.credentials import Failed, Rejected, Token, basic, read_token
from supervisor.limiter.key import Key

TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 64 * 1024
# Not compressed: an answer of MAX_ANSWER_BYTES is then no larger when it is unpacked.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "gatherer"}


class TokenEndpoint:
    """One session for all keys. Redirects are off, and POST is never repeated: one permit, one request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Open the session. Needs a running loop."""
        self._session = aiohttp.ClientSession(
            headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )

    async def close(self) -> None:
        """Close the session; safe when it is not open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, key: Key, release: Callable[[int, int], None]) -> Token | Rejected | Failed:
        """Send the key's secret, return what came of it. release: called once with the request's fate and status."""
        if self._session is None:
            release(NOT_SENT, 0)
            return Failed("not started")
        fate, status = UNKNOWN, 0
        try:
            async with self._session.post(
                key.api.token_url.replace("{region}", key.api.region),
                data={"grant_type": "client_credentials"},
                headers={"Authorization": basic(key.settings.client_id, key.settings.secret.reveal())},
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as response:
                fate, status = ANSWERED, response.status
                release(fate, status)
                return read_token(status, await _read(response.content))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # The kind only: an aiohttp error's text may hold the request's headers.
            return Failed(f"no answer from the token endpoint: {type(error).__name__}")
        finally:
            if fate == UNKNOWN:
                release(UNKNOWN, 0)


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Return an answer, however many pieces it comes in; of a very large one the beginning."""
    answer = b""
    while len(answer) < MAX_ANSWER_BYTES and (piece := await content.read(MAX_ANSWER_BYTES)):
        answer += piece
    return answer
