"""API clients: secrets, tokens and the counting of their requests.

Token life (client credentials, one token a client): the answer repeats the same token with less life left until it
ends, unless `fresh_tokens`. Observed by public clients, documented nowhere, so both ways exist here.
"""

from array import array
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Literal

from jobs.simulator.chance import draw
from jobs.simulator.limits import Window, window
from jobs.simulator.options import Options
from jobs.simulator.tally import Tally

UNKNOWN = ""  # requests that name no client of ours
Verdict = Literal["", "slow", "second", "hour"]


class Client:
    """One client id with its windows. Requests of the unknown client are counted and never limited.

    arrivals: the moment of each request, refused ones too, when `keep_arrivals` is set; else empty.
    """

    def __init__(self, name: str, secret: str, options: Options) -> None:
        self.name = name
        self.secret = secret
        self.tally = Tally()
        self.arrivals = array("d")
        self._options = options
        limits = (options.per_second, options.per_hour) if name else (0, 0)
        self._second: Window | None = window(options.limit_mode, limits[0], 1.0)
        self._hour: Window | None = window(options.limit_mode, limits[1], 3600.0)

    def arrive(self, now: float) -> Verdict:
        """Count one request and return what its limits say: "" (go), "slow", or the window that refuses it.

        A refused request counts in no window, unless `count_refused`.
        """
        self.tally.arrive(now)
        if self._options.keep_arrivals:
            self.arrivals.append(now)
        verdict = self._judge(now)
        if verdict in ("", "slow") or self._options.count_refused:
            for one in (self._second, self._hour):
                if one is not None:
                    one.count(now)
        return verdict

    def used(self, now: float) -> int:
        """Return what counts in the hourly window at `now`; all requests when the hour has no limit."""
        return self._hour.used(now) if self._hour else self.tally.requests

    def _judge(self, now: float) -> Verdict:
        if self._second is not None and not self._second.has_room(now):
            self.tally.refused_second += 1
            return "second"
        if self._hour is None or self._hour.has_room(now):
            return ""
        self.tally.refused_hour += 1
        return "slow" if self._options.hour_effect == "slow" else "hour"


class Clients:
    """All clients, and who is who by token or secret."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.known = {name: Client(name, secret, options) for name, secret in options.clients}
        self.unknown = Client(UNKNOWN, "", options)
        self._tokens: dict[str, tuple[Client, float]] = {}
        self._issued = 0

    def by_basic(self, credentials: str) -> tuple[Client, bool]:
        """Return the client of an `Authorization: Basic` value and whether its secret is right."""
        try:
            name, _, secret = b64decode(credentials, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return self.unknown, False
        client = self.known.get(name)
        return (client, client.secret == secret) if client else (self.unknown, False)

    def by_token(self, token: str, now: float) -> tuple[Client, bool]:
        """Return the client of a bearer token and whether the token still holds; ended ones count for their client."""
        client, ends_at = self._tokens.get(token, (self.unknown, 0.0))
        return client, now < ends_at

    def token(self, client: Client, now: float) -> dict[str, Any]:
        """Return the body of a token answer."""
        for token, (owner, ends_at) in self._tokens.items():
            if owner is client and ends_at > now and not self._options.fresh_tokens:
                return self._grant(client, token, ends_at - now)
        self._issued += 1
        token = "EU" + f"{draw(client.name, self._issued):016x}{draw(self._issued, client.secret):016x}"
        self._tokens[token] = (client, now + self._options.token_life)
        return self._grant(client, token, self._options.token_life)

    def revoke(self, name: str) -> int:
        """End all tokens of a client; return how many there were."""
        ended = [token for token, (owner, ends_at) in self._tokens.items() if owner.name == name and ends_at > 0]
        for token in ended:
            self._tokens[token] = (self._tokens[token][0], 0.0)
        return len(ended)

    def reset(self) -> None:
        """Forget all counts and windows; tokens stay valid."""
        fresh = Clients(self._options)
        self._tokens = {token: (fresh.known[owner.name], end) for token, (owner, end) in self._tokens.items()}
        self.known, self.unknown = fresh.known, fresh.unknown

    def report(self, now: float) -> dict[str, Any]:
        """Return the JSON of all clients; "" are requests that named none of them, when there were any."""
        clients = [*self.known.values(), *([self.unknown] if self.unknown.tally.requests else [])]
        return {client.name: client.tally.report(client.used(now)) for client in clients}

    @staticmethod
    def _grant(client: Client, token: str, left_s: float) -> dict[str, Any]:
        return {"access_token": token, "token_type": "bearer", "expires_in": int(left_s), "sub": client.name}
