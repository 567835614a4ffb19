"""Tell the hosts of an API how each request ended, and do what follows when one goes down or comes up.

The decisions are in `hosts.py`. Down: waiting requests of started jobs are refused, so that their jobs snooze;
starts wait. Up, or a probe more: whoever waits is looked at again.
"""

from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import ANSWERED, HOST_DOWN, NOT_SENT, Release
from supervisor.limiter.dispatcher import Dispatcher
from supervisor.limiter.hosts import Host
from supervisor.limiter.keyring import KeyRing
from supervisor.limiter.permit import Permit

ADVICE = "nothing to do: its jobs wait and spend no attempt; it is probed and used again when it answers"


class Outages:
    """Watches the hosts of every API."""

    def __init__(self, ring: KeyRing, dispatcher: Dispatcher, events: Events) -> None:
        self._ring = ring
        self._dispatcher = dispatcher
        self._events = events

    def heard(self, permit: Permit, message: Release, now: float) -> None:
        """Take note of how the request of `permit` ended; costs nothing while no host has trouble."""
        if not (permit.key.hosts.has_trouble or message.status >= 500 or message.fate != ANSWERED):
            return
        if not self._has_changed(permit, message, now):
            return
        for key in self._ring.keys:
            key.reopen()
        for flow in self._dispatcher.flows.values():
            for lane in flow.lanes():
                if lane.size and lane.is_held(now):
                    for waiter in lane.waiters():
                        self._dispatcher.refuse(waiter, HOST_DOWN)
        self._dispatcher.pump(now)

    def _has_changed(self, permit: Permit, message: Release, now: float) -> bool:
        """Tell whether others may go now that could not, or the other way round."""
        hosts = permit.key.hosts
        if not message.region:
            if permit.is_probe:
                hosts.probe_unsent(now)
            return permit.is_probe
        was_holding = hosts.is_holding
        down_since = hosts.of(message.region).down_since
        host = hosts.note(message.region, _failure(message), now, is_probe=permit.is_probe)
        if host is not None:
            self._say(host, permit.key.api.name, down_since, now)
        return permit.is_probe or host is not None or was_holding != hosts.is_holding

    def _say(self, host: Host, api: str, down_since: float | None, now: float) -> None:
        if down_since is not None:
            self._events.emit("host_up", host=host.name, api=api, down_s=round(now - down_since, 1))
            return
        failed = f"{host.failed} of the last {len(host.results)} requests"
        self._events.emit(
            "host_down", level="error", host=host.name, api=api, failed=failed, why=host.why, advice=ADVICE
        )


def _failure(message: Release) -> str:
    """Return how the host failed this request, in a person's words; "" = it answered."""
    if message.fate == NOT_SENT:
        return "no connection"
    if message.fate != ANSWERED:
        return "no answer"
    return f"HTTP {message.status}" if message.status >= 500 else ""
