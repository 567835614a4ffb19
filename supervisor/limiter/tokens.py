"""Obtain tokens: one exchange at a time for each key, each behind a permit of that key.

`token_endpoint.py` sends them, the only requests of the supervisor. Secrets live there and in the
configuration: events and errors name the key, never what it sent or got.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import NOT_SENT, Release
from supervisor.limiter.credentials import OAUTH, Failed, Rejected, Token, fixed_credential
from supervisor.limiter.feedback import State
from supervisor.limiter.key import CONFIGURED, ROTATED, Key
from supervisor.limiter.limiter import Limiter
from supervisor.limiter.permit import Permit
from supervisor.limiter.timer import Timer
from supervisor.limiter.token_endpoint import TokenEndpoint
from supervisor.limiter.token_plan import REJECTED_AGAIN_S, TokenPlan
from supervisor.settings.units import say_duration

VERIFY_TIMEOUT_S = 30.0


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
        self._endpoint = TokenEndpoint()
        self._timer = Timer(name="tokens", clock=clock, events=events, fire=self._tick)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to obtain tokens. Needs a running loop; safe when called twice."""
        if self._task is not None:
            return
        self._endpoint.open()
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
        await self._endpoint.close()

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
        outcome = await self._endpoint.ask(key, lambda fate, status: self._release(permit, fate, status))
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
            self._hurry_others(key, now)
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

    def _hurry_others(self, key: Key, now: float) -> None:
        """Let keys that wait after a failure ask at once: the endpoint answers again."""
        for other, plan in self._plans.items():
            if other.api.token_url == key.api.token_url and plan.is_failing:
                plan.need(now)
                self._timer.arm(now)

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

    def _release(self, permit: Permit, fate: int, status: int) -> None:
        self._limiter.release(0, Release(permit.id, fate, status), self._clock.monotonic())
        self._changed()


def _disabled(key: Key) -> str:
    return f"disabled since {key.settings.disabled}; gatherer keys enable {key.name}"
