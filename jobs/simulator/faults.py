"""Misbehaviour on request: POST /_simulator/faults replaces all rules by a list, `[]` ends them all.

    {"match": "character-pets",     regular expression, searched in the endpoint's name and in the path
     "do": "status",                one of the below
     "client": "osint-1",           only requests of this client
     "times": 2 | "share": 0.01,    so many times, or that share of requests; always when neither is given
     "sticky": true,                with share: by the hash of the path, so the same path always fails
     "headers": {"Name": "value"}}  these header lines too, whatever is done

Instead of the answer:
    status     "status": 503; 5xx from the gateway are HTML, others the API's JSON. "body" or "body_base64": this body
               instead. "retry_after": 1 or any text: with Retry-After
    html       a page with 200
    empty404   404 without a body
    reset      a TCP reset
    close      the connection ends
    endless    200, and a chunked body that does not end; after "bytes" of them it does (0 = never)
    bomb       200, and a gzip of "bytes" spaces
The answer, spoilt:
    delay      "seconds": 5 later
    slow       spread over "seconds", then the connection ends
    cut        the connection ends in the middle of the body
    tear       a TCP reset in the middle of the body
    stump      half of the body, of which its length says that it is whole; half a gzip stays half a gzip
    malformed  the same of the plain body
    lie        Content-Length says "bytes" more (or less) than there are
    undated    no Last-Modified
    dated      "date": this Last-Modified, whatever it is
    rename     "field": "mounts", "to": "steeds" in all of the body, as a patch may do
    plain      nothing but the "headers"
The first rule that applies wins. A fault is applied after the request was counted.
"""

import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from jobs.simulator.chance import share

KINDS = (
    "status", "html", "empty404", "reset", "close", "endless", "bomb", "delay", "slow", "cut", "tear", "stump",
    "malformed", "lie", "undated", "dated", "rename", "plain",
)  # fmt: skip  # a list of words


class FaultError(ValueError):
    """A rule is not understood; the text says which and why."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule. `times` counts down; None means without end."""

    match: re.Pattern[str]
    do: str
    status: int = 500
    body: str | None = None
    body_base64: str | None = None
    retry_after: int | str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    bytes: int = 0
    date: str = ""
    field: str = ""
    to: str = ""
    client: str | None = None
    times: int | None = None
    share: float = 1.0
    sticky: bool = False
    applied: int = 0


class Faults:
    """The rules in force."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.rules: list[Fault] = []

    def replace(self, rules: Any) -> None:
        """Take new rules (parsed JSON); `FaultError` leaves the old ones in force."""
        if not isinstance(rules, list):
            raise FaultError("expected a JSON list of rules")
        self.rules = [_parse(number, rule) for number, rule in enumerate(rules)]

    def pick(self, endpoint: str, path: str, client: str) -> Fault | None:
        """Return the fault that this request suffers and count it; usually None."""
        for rule in self.rules:
            if self._applies(rule, endpoint, path, client):
                rule.applied += 1
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def report(self) -> list[dict[str, Any]]:
        """Return each rule with how often it was applied."""
        return [
            {"match": rule.match.pattern, "do": rule.do, "times": rule.times, "applied": rule.applied}
            for rule in self.rules
        ]

    def _applies(self, rule: Fault, endpoint: str, path: str, client: str) -> bool:
        if rule.times == 0 or (rule.client is not None and rule.client != client):
            return False
        if not (rule.match.search(endpoint) or rule.match.search(path)):
            return False
        if rule.share >= 1.0:
            return True
        return (share("fault", path) if rule.sticky else self._random.random()) < rule.share


def _parse(number: int, rule: Any) -> Fault:
    if not isinstance(rule, dict) or rule.get("do") not in KINDS:
        raise FaultError(f'rule {number}: expected an object with "do": one of {", ".join(KINDS)}')
    try:
        match = re.compile(rule.get("match", ""))
        return Fault(**{**rule, "match": match})
    except (TypeError, re.error) as error:
        raise FaultError(f"rule {number}: {error}") from error
