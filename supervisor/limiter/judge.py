"""Turn an answer into what must follow for its key: nothing, a park, a new token, a quarantine."""

from collections.abc import Callable
from random import Random

from supervisor.core.events import Events
from supervisor.core.messages import ANSWERED, NOT_SENT, Release
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

    def heard_of_host(self, permit: Permit, message: Release, now: float) -> bool:
        """Let the hosts of the key's API take note of how a request ended; tell whether others may go, or may not."""
        hosts = permit.key.hosts
        if not message.region:
            if permit.is_probe:
                hosts.probe_unsent(now)
            return permit.is_probe
        before = hosts.is_holding
        down_since = hosts.of(message.region).down_since
        changed = hosts.note(message.region, _failure(message), now, is_probe=permit.is_probe)
        if changed is not None and changed.down_since is not None:
            self._events.emit(
                "host_down",
                level="error",
                host=changed.name,
                api=permit.key.api.name,
                failed=f"{changed.failed} of the last {len(changed.results)} requests",
                why=changed.why,
                advice="nothing to do: its jobs wait and spend no attempt; it is probed and used again when it answers",
            )
        elif changed is not None and down_since is not None:
            self._events.emit("host_up", host=changed.name, api=permit.key.api.name, down_s=round(now - down_since, 1))
        return permit.is_probe or changed is not None or before != hosts.is_holding

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


def _failure(message: Release) -> str:
    """Return how the host failed this request, in a person's words; "" = it answered."""
    if message.fate == NOT_SENT:
        return "no connection"
    if message.fate != ANSWERED:
        return "no answer"
    return f"HTTP {message.status}" if message.status >= 500 else ""
