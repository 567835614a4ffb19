"""What an answer tells the limiter beyond its status: by which way it came, and what its server's clock showed."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from socket import AF_INET6
from typing import Any

import aiohttp


class Sighted(aiohttp.ClientResponse):
    """A response that remembers its connection's address family, which aiohttp forgets with a short body."""

    is_ipv6 = False

    async def start(self, connection: Any) -> "Sighted":
        """Note the family, then read the headers."""
        transport = connection.transport
        socket = transport.get_extra_info("socket") if transport is not None else None
        self.is_ipv6 = socket is not None and socket.family == AF_INET6
        await super().start(connection)
        return self

    @property
    def path(self) -> str:
        """Return a name for the way to the server: host and address family."""
        return f"{self.host}/{6 if self.is_ipv6 else 4}"


def date_s(headers: Mapping[str, str]) -> int:
    """Return the Unix seconds of the Date header; 0 when absent, unreadable, or that of a cached answer."""
    # An Age says that a cache answers with a Date of the past.
    return 0 if "Age" in headers else _seconds(headers.get("Date", ""))


@lru_cache(maxsize=16)
def _seconds(date: str) -> int:
    # All answers of a second carry the same text.
    try:
        return max(0, int(parsedate_to_datetime(date).timestamp()))
    except (ValueError, OverflowError):
        return 0
