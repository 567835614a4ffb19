"""Ask the Blizzard API one question and say what the answer means.

Every request of a job goes through `fetch`, so that each of the API's ways to fail is judged in
one place (error bodies and statuses: developer portal and recorded answers of 2019-2026):

    200, JSON of the model's shape      Found
    200, well-formed JSON, other shape  Broken     the API changed: not fresh, not retried blindly
    200, HTML, cut, empty, huge body    Failed     a gateway's trouble, not the API's word
    304 to a conditional request        NotModified
    404 with {"code": 404, ...}         Missing    the resource does not exist (now)
    404 with anything else              Failed     empty = wrong client or lost authorization
    403                                 Failed     missing namespace or a dead key; never absence
    5xx, timeouts, resets, no permit    Failed

Only Found and NotModified may make something fresh; only Missing may make something gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Generic, TypeAlias, TypeVar, cast
from urllib.parse import quote

import msgspec

from supervisor.worker.sdk import (
    BLAMELESS_S,
    MOST_BODY_BYTES,
    RequestFailed,
    Response,
    Retry,
    Snooze,
    Unparsed,
    Work,
)

T = TypeVar("T")

MAX_KEPT_BODY_BYTES = 64 * 1024
MAX_RETRY_AFTER_S = 600.0
BRAKED = "braked"
BRAKED_AGAIN_S = 60.0
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON; the last for one that is nested without measure."""
_BLAMELESS_S = {BRAKED: BRAKED_AGAIN_S, **BLAMELESS_S}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[T]):
    """The answer. last_modified: the header as it came, "" = absent. raw_bytes: size on the wire."""

    value: T
    last_modified: str = ""
    raw_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """The API says in its own words that there is no such thing."""


@dataclass(frozen=True, slots=True)
class NotModified:
    """Nothing newer than `modified_since`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A 200 whose JSON has an unknown shape. error: path and reason. body: its first 64 KiB."""

    endpoint: str
    error: str
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No answer that means anything; the next try may get one.

    reason: a reason of RequestFailed, "braked", "status" or "body". after_s: None = usual backoff. endpoint: of braked.
    """

    error: str
    reason: str = "status"
    after_s: float | None = None
    endpoint: str = ""


Answer: TypeAlias = Found[T] | Missing | NotModified | Broken | Failed


def path(*parts: str | int) -> str:
    """Return "/" and the parts joined by "/", each percent-encoded as UTF-8, nothing left safe."""
    return "".join(["/" + _quoted(str(part)) for part in parts])


@lru_cache(maxsize=4096)
def _quoted(part: str) -> str:
    """Return one part percent-encoded; cached, because most parts are the same words and realms."""
    return quote(part, safe="")


async def fetch(
    work: Work,
    path: str,
    model: type[T],
    *,
    endpoint: str,
    namespace: str,
    region: str,
    params: Mapping[str, str] | None = None,
    modified_since: str = "",
) -> Answer[T]:
    """GET `path` and return what the answer means; raises nothing that a job could handle.

    model: msgspec type that the body must fit. The rest as `ask`.
    """
    answer = await ask(
        work,
        path,
        endpoint=endpoint,
        namespace=namespace,
        region=region,
        params=params,
        modified_since=modified_since,
    )
    if not isinstance(answer, Found):
        return answer
    body = open_body(answer.value, endpoint)
    value = body if isinstance(body, Failed) else parse(body, decoder(model), endpoint)
    if isinstance(value, Failed):
        return value
    work.parsed(endpoint, not isinstance(value, Broken))
    if isinstance(value, Broken):
        return value
    return Found(value=value, last_modified=answer.last_modified, raw_bytes=answer.raw_bytes)


async def ask(
    work: Work,
    path: str,
    *,
    endpoint: str,
    namespace: str,
    region: str,
    params: Mapping[str, str] | None = None,
    modified_since: str = "",
    most_bytes: int = MOST_BODY_BYTES,
) -> Found[Response] | Missing | NotModified | Failed:
    """GET `path`; a 200 is Found with its body still compressed, for whoever wants to open it later.

    path: already percent-encoded (`path()`). endpoint: name for people, metrics and the brake, e.g.
    "character/mounts". namespace: "profile", "dynamic" or "static". params: added to the query; an
    empty value takes a parameter away (`locale` empty = names in every language). modified_since: an
    HTTP date, "" = unconditional. most_bytes: of the plain body. A braked endpoint is not asked.
    """
    if work.is_braked(endpoint):
        error = f"{endpoint}: not asked, its bodies did not parse lately"
        return Failed(error=error, reason=BRAKED, endpoint=endpoint)
    headers = {"Battlenet-Namespace": f"{namespace}-{region}"}
    if modified_since:
        headers["If-Modified-Since"] = modified_since
    query = {"locale": str(work.api["locale"])} | dict(params or {})
    query = {name: value for name, value in query.items() if value}
    try:
        response = await work.client.get(path, region=region, params=query, headers=headers, most_bytes=most_bytes)
        return _judge(response, endpoint, conditional=bool(modified_since))
    except RequestFailed as failure:
        return Failed(error=f"{endpoint}: {failure}", reason=failure.reason)


def open_body(response: Response, endpoint: str) -> bytes | Failed:
    """Return the body, decompressed now; Failed when it arrived cut, damaged or too large."""
    try:
        return response.body().removeprefix(_BYTE_ORDER_MARK)
    except RequestFailed as failure:
        return Failed(error=f"{endpoint}: {failure}", reason=failure.reason)


def parse(body: bytes, decoder: msgspec.json.Decoder[T], endpoint: str) -> T | Broken | Failed:
    """Return what `decoder` makes of `body`; a body that is no whole JSON is a gateway's trouble."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        if _is_whole(body):
            return Broken(endpoint=endpoint, error=f"{endpoint}: {error}", body=body[:MAX_KEPT_BODY_BYTES])
        return Failed(error=f"{endpoint}: 200 with a cut body of {len(body)} bytes", reason="body")
    except _UNREADABLE as error:
        return Failed(error=f"{endpoint}: 200 with {len(body)} bytes that are no JSON ({error})", reason="body")


def is_braked(answer: Answer[T]) -> bool:
    """Tell whether the request was never sent, because its endpoint's bodies did not parse lately."""
    return isinstance(answer, Failed) and answer.reason == BRAKED


def retry(failed: Failed) -> Retry | Snooze:
    """Return the outcome of a job that cannot go on without this answer.

    An API that is down, a brake, a drain or a missing permit is no fault of the job: it snoozes and
    spends no attempt.
    """
    if failed.reason in _BLAMELESS_S:
        return Snooze(after_s=_BLAMELESS_S[failed.reason], note=failed.error)
    return Retry(error=failed.error, after_s=failed.after_s)


def unparsed(broken: Broken) -> Unparsed:
    """Return the outcome of a job one of whose answers has an unknown shape."""
    return Unparsed(endpoint=broken.endpoint, error=broken.error, body=broken.body)


def rest(failed: Failed) -> Retry | Snooze | Unparsed:
    """Return the outcome of a job that has stored what it could and lacks this answer.

    One that is braked would not come for long, and each try would ask again for what is fresh: the job ends as
    unparsed, and comes back by the same command as those whose answer was seen.
    """
    return Unparsed(endpoint=failed.endpoint, error=failed.error) if is_braked(failed) else retry(failed)


class _ErrorBody(msgspec.Struct):
    code: int


@cache
def _cached_decoder(model: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(model)


def decoder(model: type[T]) -> msgspec.json.Decoder[T]:
    """Return the one decoder of `model`; making one costs more than many a body."""
    return cast(msgspec.json.Decoder[T], _cached_decoder(cast(Any, model)))  # mypy: type[T] is not Hashable


def _judge(response: Response, endpoint: str, *, conditional: bool) -> Found[Response] | Missing | NotModified | Failed:
    status = response.status
    if status == 200:
        last_modified = response.headers.get("Last-Modified", "")
        return Found(value=response, last_modified=last_modified, raw_bytes=response.raw_bytes)
    if status == 304 and conditional:
        return NotModified()
    if status == 404 and _is_api_error(response.body(), 404):
        return Missing()
    return Failed(error=f"{endpoint}: HTTP {status}{_hint(status)}", after_s=_retry_after(response))


def _is_whole(body: bytes) -> bool:
    """Tell whether a body that has a wrong shape is at least whole: a cut one may look wrong first."""
    # As Raw the parser only walks over the body; building 40 MB of it as dicts takes ten times that.
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except _UNREADABLE:
        return False
    return True


def _is_api_error(body: bytes, code: int) -> bool:
    try:
        return decoder(_ErrorBody).decode(body).code == code
    except _UNREADABLE:
        return False


def _hint(status: int) -> str:
    """Say what a bare status usually means."""
    return {
        403: " (namespace missing, or the key may not use this API)",
        404: " without the API's body (client or authorization, not absence)",
    }.get(status, "")


def _retry_after(response: Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), MAX_RETRY_AFTER_S) if text.isascii() and text.isdigit() else None
