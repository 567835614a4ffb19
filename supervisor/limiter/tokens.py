"""Obtain tokens: one exchange at a time for each key, each behind a permit of that key.

Nothing else in the supervisor sends requests. Secrets live here and in the configuration only: events
and errors name the key, never what it sent or got.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import aiohttp

from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import ANSWERED, NOT_SENT, UNKNOWN, Release
from supervisor.limiter.credentials import OAUTH, Failed, Rejected, Token, basic, fixed_credential, read_token
from supervisor.limiter.feedback import State
from supervisor.limiter.key import CONFIGURED, ROTATED, Key
from supervisor.limiter.limiter import Limiter
from supervisor.limiter.permit import Permit
from supervisor.limiter.timer import Timer
from supervisor.limiter.token_plan import REJECTED_AGAIN_S, TokenPlan
from supervisor.settings.units import say_duration

TIMEOUT_S = 15.0
VERIFY_TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 64 * 1024
# Not compressed: an answer of MAX_ANSWER_BYTES is then no larger when it is unpacked.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "gatherer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCheck:
    """What a verification found. detail: one sentence for people, no secret in it."""

    name: str
    ok: bool
    detail: str


class TokenKeeper:
    """Keeps each key's credential in force.

    changed: called after every change that may let somebody go (the timer must be armed anew).
    """

    def __init__(
        self, *, limiter: Limiter, clock: Clock, events: Events, random: Random, changed: Callable[[], None]
    ) -> None:
        self._limiter = limiter
        self._clock = clock
        self._events = events
        self._random = random
        self._changed = changed
        self._plans: dict[Key, TokenPlan] = {}
        self._exchanges: dict[Key, asyncio.Task[KeyCheck]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._timer = Timer(name="tokens", clock=clock, events=events, fire=self._tick)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to obtain tokens. Needs a running loop; safe when called twice."""
        if self._task is not None:
            return
        # Redirects are off at the request, retries do not happen for POST: one permit, one request.
        self._session = aiohttp.ClientSession(
            headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        self._task = asyncio.create_task(self._timer.run(), name="tokens")
        for key in self._limiter.ring.keys:
            self.need(key, CONFIGURED)

    async def stop(self) -> None:
        """Cancel what is under way; safe when called twice or before start."""
        tasks = [task for task in (self._task, *self._exchanges.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    def need(self, key: Key, why: str) -> None:
        """Plan a key's credential: at once, or later when it was refused; none for a disabled key. why: see `Judge`."""
        if key.settings.disabled:
            self._plans.pop(key, None)
            return
        now = self._clock.monotonic()
        credential = fixed_credential(key.api, key.settings)
        if credential is not None and why != "quarantined":
            key.set_credential(credential)
            self._limiter.dispatcher.pump(now)
            self._changed()
            return
        plan = self._plans.setdefault(key, TokenPlan())
        if why == "quarantined":
            plan.rejected(now)
        else:
            if why != ROTATED:
                plan.lost()
            plan.need(now)
        self._timer.arm(plan.due_at)

    async def verify(self, key: Key) -> KeyCheck:
        """Obtain a token now, and end a quarantine when it comes; shares an exchange already under way."""
        if key.settings.disabled:
            return KeyCheck(name=key.name, ok=False, detail=_disabled(key))
        try:
            return await asyncio.wait_for(asyncio.shield(self._exchange_of(key)), VERIFY_TIMEOUT_S)
        except TimeoutError:
            detail = f"not done after {VERIFY_TIMEOUT_S:g} s: the key's windows have no room, or the endpoint is slow"
            return KeyCheck(name=key.name, ok=False, detail=detail)

    def _tick(self, now: float) -> float:
        keys = set(self._limiter.ring.keys)
        for key in self._plans.keys() - keys:
            del self._plans[key]
        next_at = math.inf
        for key, plan in self._plans.items():
            if key.credential is not None and not plan.is_valid(now) and key.api.auth == OAUTH:
                key.set_credential(None, "the token has expired")
            if plan.due_at <= now:
                # Planned anew by the outcome.
                plan.due_at = math.inf
                self._exchange_of(key)
            expiry = plan.expires_at if plan.expires_at > now else math.inf
            next_at = min(next_at, plan.due_at, expiry)
        return next_at

    def _exchange_of(self, key: Key) -> asyncio.Task[KeyCheck]:
        task = self._exchanges.get(key)
        if task is None or task.done():
            task = asyncio.create_task(self._exchange(key), name=f"token {key.name}")
            self._exchanges[key] = task
            task.add_done_callback(lambda ended: self._forget(key, ended))
        return task

    def _forget(self, key: Key, ended: asyncio.Task[KeyCheck]) -> None:
        if self._exchanges.get(key) is ended:
            del self._exchanges[key]

    async def _exchange(self, key: Key) -> KeyCheck:
        """Obtain a credential and put it in force; plan the next time. Never raises but when cancelled."""
        credential = fixed_credential(key.api, key.settings)
        if credential is not None:
            self._verified(key)
            self.need(key, CONFIGURED)
            return KeyCheck(name=key.name, ok=True, detail=f"auth {key.api.auth.partition(':')[0]}: no token needed")
        plan = self._plans.setdefault(key, TokenPlan())
        permit = await self._permit(key)
        if key.settings.disabled:
            self._release(permit, NOT_SENT, 0)
            return KeyCheck(name=key.name, ok=False, detail=_disabled(key))
        login = (key.settings, key.api)
        outcome = await self._ask(key, permit)
        now = self._clock.monotonic()
        if login == (key.settings, key.api):
            check = self._take(key, plan, outcome, now)
        else:
            # Meanwhile the configuration has another secret, perhaps the right one: this outcome is not its.
            self.need(key, ROTATED)
            check = KeyCheck(name=key.name, ok=False, detail="the configuration changed meanwhile; asked again")
        self._timer.arm(plan.due_at)
        self._limiter.dispatcher.pump(now)
        self._changed()
        return check

    def _take(self, key: Key, plan: TokenPlan, outcome: Token | Rejected | Failed, now: float) -> KeyCheck:
        if isinstance(outcome, Token):
            plan.obtained(outcome.expires_in_s, now)
            key.set_credential(outcome.credential())
            self._verified(key)
            self._events.emit("token_obtained", key=key.name, expires_in_s=outcome.expires_in_s)
            return KeyCheck(name=key.name, ok=True, detail=f"a token for {outcome.expires_in_s:.0f} s")
        key.note_error(outcome.reason, now)
        if isinstance(outcome, Rejected) and plan.is_valid(now):
            # The present token was not refused, only what would bring the next: a secret that is wrong or too new.
            plan.rejected(now)
            key.token_reason = f"{outcome.reason}; the present token serves {say_duration(plan.expires_at - now)} more"
            self._events.emit("token_refused", key=key.name, reason=key.token_reason)
            return KeyCheck(name=key.name, ok=False, detail=key.token_reason)
        if isinstance(outcome, Rejected):
            key.set_credential(None, outcome.reason)
            plan.lost()
            self._limiter.judge.quarantine(key, outcome.reason)
            detail = f"{outcome.reason}; asked again in {REJECTED_AGAIN_S / 60:.0f} min"
            return KeyCheck(name=key.name, ok=False, detail=detail)
        plan.failed(now, self._random)
        if not plan.is_valid(now):
            key.set_credential(None, outcome.reason)
        self._events.emit("token_failed", key=key.name, reason=outcome.reason, again_in_s=round(plan.due_at - now, 1))
        return KeyCheck(name=key.name, ok=False, detail=outcome.reason)

    def _verified(self, key: Key) -> None:
        if key.standing.state is State.QUARANTINED:
            key.standing.verified()
            key.reopen()
            self._events.emit("key_verified", key=key.name)

    async def _permit(self, key: Key) -> Permit:
        """Wait for a permit of this very key: tokens are requests too."""
        granted: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        dispatcher = self._limiter.dispatcher
        dispatcher.want_token(key, granted.set_result, self._clock.monotonic())
        self._changed()
        try:
            return await granted
        except asyncio.CancelledError:
            dispatcher.stop_wanting_token(key)
            if granted.done() and not granted.cancelled():
                self._release(granted.result(), NOT_SENT, 0)
            raise

    async def _ask(self, key: Key, permit: Permit) -> Token | Rejected | Failed:
        if self._session is None:
            self._release(permit, NOT_SENT, 0)
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
                self._release(permit, fate, status)
                return read_token(status, await _read(response.content))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # The kind only: an aiohttp error's text may hold the request's headers.
            return Failed(f"no answer from the token endpoint: {type(error).__name__}")
        finally:
            if fate == UNKNOWN:
                self._release(permit, UNKNOWN, 0)

    def _release(self, permit: Permit, fate: int, status: int) -> None:
        self._limiter.release(0, Release(permit.id, fate, status), self._clock.monotonic())
        self._changed()


def _disabled(key: Key) -> str:
    return f"disabled since {key.settings.disabled}; gatherer keys enable {key.name}"


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Return an answer, however many pieces it comes in; of a very large one the beginning."""
    answer = b""
    while len(answer) < MAX_ANSWER_BYTES and (piece := await content.read(MAX_ANSWER_BYTES)):
        answer += piece
    return answer
