"""An answer: headers seen, body read but not yet decompressed.

Bodies stay compressed until somebody wants them, so a job can read a large one cheaply, wait for its
turn (`Work.big_body`) and only then pay for the memory. Neither form may be larger than who asked wants it to be: a
small gzip can hold a body that fills the machine.
"""

from collections.abc import Mapping

from isal import igzip_lib, isal_zlib

from supervisor.worker.sdk import RequestFailed

GZIP_WINDOW_BITS = 31


class HttpResponse:
    """Implements `sdk.Response`."""

    __slots__ = ("_most_bytes", "_raw", "headers", "status", "url")

    def __init__(self, status: int, headers: Mapping[str, str], url: str, raw: bytes, most_bytes: int) -> None:
        self.status = status
        self.headers = headers
        self.url = url
        self._raw = raw
        self._most_bytes = most_bytes

    @property
    def raw_bytes(self) -> int:
        """Return the size on the wire."""
        return len(self._raw)

    def body(self) -> bytes:
        """Return the body, decompressed now; "connection" when it is cut, "too large" above the cap."""
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("", "identity"):
            return self._raw
        if encoding != "gzip":
            raise RequestFailed("connection", self.url, f"Content-Encoding {encoding[:40]!a} was not asked for")
        return self._gunzip()

    def _gunzip(self) -> bytes:
        decompressor = isal_zlib.decompressobj(wbits=GZIP_WINDOW_BITS)
        try:
            body = decompressor.decompress(self._raw, self._most_bytes + 1)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # an Exception; the stub forgot to say so
            raise RequestFailed("connection", self.url, f"damaged gzip: {error}") from error
        if len(body) > self._most_bytes:
            raise RequestFailed("too large", self.url, f"more than {self._most_bytes} bytes")
        if not decompressor.eof:
            raise RequestFailed("connection", self.url, "cut gzip")
        return bytes(body)
