"""What a request carries to prove itself, and the OAuth client-credentials exchange without its I/O.

Auth kinds (`Api.auth`): client_credentials (a token, obtained here), bearer, header:NAME, query:NAME,
basic, none (fixed). Nothing in this module puts a secret into an error, an event or a repr.
"""

import base64
from dataclasses import dataclass, field

import msgspec

from supervisor.core.errors import ConfigurationError
from supervisor.limiter.key import Credential
from supervisor.settings.config import Api, Key

OAUTH = "client_credentials"
MIN_EXPIRES_IN_S = 1.0
"""With a shorter life each token would be asked for as soon as the last one came; a failure backs off."""
MAX_EXPIRES_IN_S = 30 * 86_400.0


def fixed_credential(api: Api, key: Key) -> Credential | None:
    """Return the credential of a key that needs no token; None when it needs one.

    ConfigurationError for an unknown auth kind.
    """
    kind, _, name = api.auth.partition(":")
    secret = key.secret.reveal()
    if kind == OAUTH:
        return None
    if kind == "none":
        return Credential()
    if kind == "bearer":
        return Credential(headers={"Authorization": f"Bearer {secret}"})
    if kind == "basic":
        return Credential(headers={"Authorization": basic(key.client_id, secret)})
    if kind == "header" and name:
        return Credential(headers={name: secret})
    if kind == "query" and name:
        return Credential(query={name: secret})
    raise ConfigurationError([f"apis.{api.name}.auth: {api.auth!r} is no known kind"])


def basic(user: str, secret: str) -> str:
    """Return the value of a Basic Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; expires_in_s: seconds from now, ≥ MIN_EXPIRES_IN_S."""

    expires_in_s: float
    value: str = field(repr=False)

    def credential(self) -> Credential:
        """Return what requests carry."""
        return Credential(headers={"Authorization": f"Bearer {self.value}"})


@dataclass(frozen=True, slots=True)
class Rejected:
    """The credentials were refused: trying again soon is of no use."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """No token this time; the next try may bring one."""

    reason: str


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float


def read_token(status: int, body: bytes) -> Token | Rejected | Failed:
    """Return what the token endpoint's answer means.

    400, 401 and 403 reject the client (400 is `invalid_client` with some servers, RFC 6749 5.2); all
    else that is no token may pass. The body is never quoted: a server may echo what it was sent.
    """
    if status in (400, 401, 403):
        return Rejected(f"the token endpoint answered {status}: client id or secret are refused")
    if status != 200:
        return Failed(f"the token endpoint answered {status}")
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Failed("the token endpoint's answer is no token")
    if not answer.access_token.isascii() or not answer.access_token.isprintable() or not answer.access_token:
        return Failed("the token endpoint's token has characters that no header may have")
    if not answer.expires_in >= MIN_EXPIRES_IN_S:
        return Failed("the token endpoint's token has expired already")
    return Token(min(answer.expires_in, MAX_EXPIRES_IN_S), answer.access_token)
