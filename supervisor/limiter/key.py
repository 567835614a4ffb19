"""One key: its credential, its quota, its standing, its page in the journal."""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field

from supervisor.limiter.feedback import Standing, State
from supervisor.limiter.hosts import Hosts
from supervisor.limiter.past import NoRecord, Past, Record
from supervisor.limiter.quota import NOTHING, Quota
from supervisor.limiter.turns import Turns
from supervisor.limiter.window import WindowModel
from supervisor.settings.config import Api
from supervisor.settings.config import Key as KeySettings

LOOK_AGAIN_S = 1.0
CONFIGURED, ROTATED = "configured", "rotated"
"""Why a credential must be obtained: there is none that may serve; or the secret changed, and the old token serves
until the new one is there."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request must carry. Never shown: neither field is part of the repr."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    query: dict[str, str] = field(default_factory=dict, repr=False)


def identity_of(settings: KeySettings) -> bytes:
    """Return the 32 bytes that stand for a key in the journal; they do not reveal the client id.

    A key is its API and client id, under any name; one without a client id is its name.
    """
    who = settings.client_id or f"name:{settings.name}"
    return hashlib.sha256(f"{settings.api}\0{who}".encode()).digest()


class Key:
    """One key as the limiter sees it.

    credential: None = nothing may be granted ("no token"); generation counts its changes, so that an
    answer to an old token is told from one to the present.
    closed_until: before this moment the level is NOTHING for certain; every change but a grant takes it back.
    flexibility: how many workers the key may serve; the choice spends the least flexible first.
    is_awaited: a waiter needs this key to be answered before anything can change (`limiter.py`).
    hosts: of its API, shared with the API's other keys.
    token_wanted: a token request waits for its own permit. turns: whose turn it is at this key.
    statuses: {(worker, HTTP status, or one of the negative marks in `permit.py`): count}.
    last_error: what went wrong last, for people, "" = nothing yet; last_error_at: when, monotonic seconds.
    """

    __slots__ = (
        "api",
        "closed_until",
        "credential",
        "flexibility",
        "generation",
        "granted",
        "hosts",
        "identity",
        "is_awaited",
        "last_error",
        "last_error_at",
        "origin",
        "quota",
        "record",
        "settings",
        "standing",
        "statuses",
        "token_reason",
        "token_wanted",
        "turns",
    )

    def __init__(self, settings: KeySettings, api: Api) -> None:
        self.settings = settings
        self.api = api
        self.identity = identity_of(settings)
        self.credential: Credential | None = None
        self.generation = 0
        self.closed_until = -math.inf
        self.token_reason = ""
        self.token_wanted = False
        self.turns = Turns()
        self.quota = Quota(api, self.use)
        self.hosts = Hosts(api)
        self.standing = Standing()
        self.record: Record = NoRecord()
        self.origin = "new"
        self.flexibility = 0
        self.is_awaited = False
        self.granted = 0
        self.last_error = ""
        self.last_error_at = -math.inf
        self.statuses: Counter[tuple[str, int]] = Counter()

    @property
    def name(self) -> str:
        """Return the key's name in the configuration."""
        return self.settings.name

    @property
    def use(self) -> float:
        """Return the share of the limits that we may spend, 0..1."""
        return self.api.use if self.settings.use is None else self.settings.use

    def set_credential(self, credential: Credential | None, reason: str = "") -> None:
        """Carry `credential` from now on; None stops grants, for `reason`."""
        self.credential = credential
        self.token_reason = reason
        self.generation += 1
        self.reopen()

    def note_error(self, what: str, now: float) -> None:
        """Remember what went wrong, for people; no secret in it."""
        self.last_error = what
        self.last_error_at = now

    def reshape(self, settings: KeySettings, api: Api, now: float) -> str:
        """Take settings over, keeping what is spent. Return why the credential must be obtained, "" = it need not."""
        self.reopen()
        old, self.settings = self.settings, settings
        is_same_way = (self.api.auth, self.api.token_url) == (api.auth, api.token_url)
        if (self.api, old.use) != (api, settings.use):
            self.api = api
            self.quota.reshape(api, self.use, now)
        if not is_same_way or bool(old.disabled) != bool(settings.disabled):
            return CONFIGURED
        return "" if old.secret == settings.secret else ROTATED

    def restore(self, record: Record, past: Past, now: float) -> int:
        """Write to `record` from now on, and count what it says was spent before.

        Return how many requests of the process before may still arrive: they are in flight.
        """
        self.reopen()
        self.record = record
        self.origin = past.origin
        unknown = self.quota.restore(past, now)
        record.mark(self.quota.in_flight)
        if past.parked_until > now:
            self.standing.park(past.parked_until, "parked before the restart")
        return unknown

    def reopen(self) -> None:
        """Look at everything again: something other than time has changed."""
        self.closed_until = -math.inf

    def level(self, now: float) -> int:
        """Return the least urgent `Priority` that this key may serve now; NOTHING = none."""
        if now < self.closed_until:
            return NOTHING
        level = self._level(now)
        if level == NOTHING:
            self.closed_until = self.frees_at(0, now)
        return level

    def _level(self, now: float) -> int:
        if self.credential is None or (self.hosts.is_holding and not self.hosts.lets_some(now)):
            return NOTHING
        standing = self.standing
        if standing.is_plain:
            return self.quota.level(now)
        if not standing.allows(now, self.quota.in_flight):
            return NOTHING
        return self.quota.level(now, standing.share(now, self.shortest.limit))

    def can_obtain(self, now: float) -> bool:
        """Tell whether a token request may go now: it needs room and no park, neither a token nor a good standing."""
        standing = self.standing
        standing.settle(now)
        return standing.state is not State.PARKED and self.quota.level(now) > NOTHING

    def frees_at(self, priority: int, now: float) -> float:
        """Return a moment before which `level` stays below `priority` by itself; inf = only an answer or a token."""
        if now < self.closed_until:
            return self.closed_until
        if self.credential is None:
            return math.inf
        if self.hosts.is_holding and not self.hosts.lets_some(now):
            return self.hosts.opens_at()
        standing = self.standing
        if standing.is_plain:
            return self.quota.frees_at(priority)
        standing_at = standing.frees_at(self.quota.in_flight)
        if standing_at > now:
            return standing_at
        share = standing.share(now, self.shortest.limit)
        at = self.quota.frees_at(priority, share)
        # A key that recovers regains its share by time, whatever is in flight: look again in a second.
        return min(at, now + LOOK_AGAIN_S) if share < 1.0 else at

    def obtains_at(self, now: float) -> float:
        """Return a moment before which `can_obtain` stays False by itself."""
        parked_until = self.standing.parked_until if self.standing.state is State.PARKED else -math.inf
        return max(parked_until, self.quota.frees_at(0))

    def grant(self, priority: int, now: float) -> None:
        """Put one more request in flight; written down before anything leaves."""
        quota = self.quota
        quota.granted(priority, now)
        self.record.mark(quota.in_flight)
        self.granted += 1

    def charge(self, now: float) -> None:
        """Count one request in flight as answered at `now`."""
        quota = self.quota
        quota.charge(now)
        self.closed_until = -math.inf
        self.record.charge(now, quota.in_flight)

    def charge_unseen(self, now: float) -> None:
        """Count one request in flight that nobody answered and that the server can count no more."""
        self.charge(now + self.quota.evidence.unseen_s)

    def not_sent(self, priority: int) -> None:
        """Take one request in flight back."""
        self.reopen()
        self.quota.not_sent(priority)
        self.record.mark(self.quota.in_flight)

    @property
    def shortest(self) -> WindowModel:
        """Return the shortest window."""
        return min(self.quota.windows, key=lambda window: window.per_s)

    @property
    def used_share(self) -> float:
        """Return the share of the shortest window that is counted or in flight."""
        shortest = self.shortest
        return (shortest.count + self.quota.in_flight) / shortest.limit
