"""Turn an answer into what must follow for its key: nothing, a park, a new token, a quarantine."""

from collections.abc import Callable
from random import Random

from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Release
from supervisor.limiter.feedback import State, Verdict
from supervisor.limiter.key import Key
from supervisor.limiter.permit import Permit


class Judge:
    """Acts on the verdicts of `feedback.Standing`.

    on_credential_needed(key, why): set by whoever obtains tokens; why is one of `key.py`, "401" or "quarantined".
    """

    def __init__(self, *, events: Events, random: Random) -> None:
        self.on_credential_needed: Callable[[Key, str], None] = lambda key, why: None
        self._events = events
        self._random = random

    def answered(self, permit: Permit, message: Release, used_share: float, now: float) -> None:
        """Let the key's standing take note of an answer, and do what follows.

        used_share: of the key's shortest window, before this answer, 0..1.
        """
        key = permit.key
        before, doubt_before = key.standing.state, key.standing.doubt
        if message.status >= 400 and message.status != 404:
            key.note_error(_said(message, permit.worker), now)
        verdict = key.standing.answered(
            message.status,
            now=now,
            random=self._random,
            retry_after_s=message.retry_after_s,
            used_share=used_share,
            is_current=permit.generation == key.generation,
            is_renewable=key.api.auth == "client_credentials",
        )
        key.reopen()
        if key.standing.doubt and not doubt_before:
            self._events.emit("key_shared", level="warning", key=key.name, reason=key.standing.doubt)
        if verdict is Verdict.PARKED:
            self._parked(key, message, used_share, before, now)
        elif verdict is Verdict.REFRESH:
            key.set_credential(None, "401: being refreshed")
            self.on_credential_needed(key, "401")
        elif verdict is Verdict.QUARANTINED:
            self.quarantined(key, before)
        # A changed standing changes who can go: whoever waits must be looked at again.
        key.is_awaited = key.is_awaited or key.standing.state is not before

    def quarantine(self, key: Key, reason: str) -> None:
        """Use the key no more until its credentials have been verified."""
        before = key.standing.state
        key.standing.quarantine(reason)
        self.quarantined(key, before)

    def quarantined(self, key: Key, before: State) -> None:
        """Say once, and loudly, that a key is out of use."""
        if before is not State.QUARANTINED:
            self._events.emit("key_quarantined", key=key.name, reason=key.standing.reason)
        self.on_credential_needed(key, "quarantined")

    def _parked(self, key: Key, message: Release, used_share: float, before: State, now: float) -> None:
        until = key.standing.parked_until
        key.record.park(until)
        if before is not State.PARKED:
            self._events.emit(
                "key_parked",
                key=key.name,
                for_s=round(until - now, 3),
                retry_after_s=message.retry_after_s,
                used_share=round(used_share, 3),
            )


def _said(message: Release, worker: str) -> str:
    """Return an unwelcome answer in a person's words."""
    after = f", Retry-After {message.retry_after_s:g} s" if message.retry_after_s >= 0 else ""
    return f"HTTP {message.status}{after} to {worker}"
