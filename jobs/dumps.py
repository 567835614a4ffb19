"""Ask for a body so large that it is not opened before its turn: `api.fetch` in two halves.

`download` returns a 200 unopened; `parse` opens it. What all other answers mean is `api.py`'s word.
"""

import ctypes
import gc
from typing import TypeVar

import msgspec

from jobs import api
from jobs.api import Answer, Broken, Failed, Found, Missing, NotModified
from supervisor.worker.sdk import RequestFailed, Response, Work

T = TypeVar("T")

_libc = ctypes.CDLL(None)


async def download(
    work: Work, path: str, *, endpoint: str, namespace: str, region: str, modified_since: str
) -> Found[Response] | Missing | NotModified | Failed:
    """GET `path`; a 200 is Found with its body still compressed. Arguments as `api.fetch`."""
    if work.is_braked(endpoint):
        return Failed(error=f"{endpoint} is braked: its bodies did not parse lately", reason=api.BRAKED)
    headers = {"Battlenet-Namespace": f"{namespace}-{region}"}
    if modified_since:
        headers["If-Modified-Since"] = modified_since
    try:
        response = await work.client.get(path, region=region, headers=headers)
        if response.status == 200:
            return Found(
                value=response,
                last_modified=response.headers.get("Last-Modified", ""),
                raw_bytes=response.raw_bytes,
            )
        answer: Answer[msgspec.Raw] = api._judge(response, msgspec.Raw, endpoint, conditional=bool(modified_since))
    except RequestFailed as failure:
        return Failed(error=f"{endpoint}: {failure}", reason=failure.reason)
    assert not isinstance(answer, Found | Broken), "only a 200 has a body to parse"
    return answer


def open_body(response: Response, endpoint: str) -> bytes | Failed:
    """Return the body, decompressed now; Failed when it arrived cut or damaged."""
    try:
        return response.body()
    except RequestFailed as failure:
        return Failed(error=f"{endpoint}: {failure}", reason=failure.reason)


def parse(body: bytes, decoder: msgspec.json.Decoder[T], endpoint: str) -> T | Broken | Failed:
    """Return what `decoder` makes of `body`; a body that is no whole JSON is a gateway's trouble."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        if _is_whole(body):
            return Broken(endpoint=endpoint, error=str(error), body=body[: api.MAX_KEPT_BODY_BYTES])
        return Failed(error=f"{endpoint}: 200 with a cut body of {len(body)} bytes", reason="body")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Failed(error=f"{endpoint}: 200 with {len(body)} bytes that are no JSON ({error})", reason="body")


def release_memory() -> None:
    """Give a big body's memory back to the system, once nothing refers to it any more.

    The allocators keep what is freed for the next time. A full collection empties the interpreter's
    free lists, whose few thousand tuples would hold on to megabytes of otherwise empty arenas
    (measured: 17 MB after 300,000 commodities); what was imported before the fork is frozen, so it
    is short.
    """
    gc.collect()
    _libc.malloc_trim(0)


def _is_whole(body: bytes) -> bool:
    # As Raw the parser only walks over the body; building 40 MB of it as dicts takes ten times that.
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
