"""What the limiter shows: frozen values for status, metrics and the dashboard. Never a credential."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from supervisor.core.histogram import HistogramStatistics
from supervisor.limiter.fairness import HELD_SHARE, Flow
from supervisor.limiter.feedback import State
from supervisor.limiter.hosts import HostStatistics
from supervisor.limiter.key import Key
from supervisor.limiter.limiter import Limiter
from supervisor.limiter.permit import NOT_SENT_STATUS, UNKNOWN_STATUS
from supervisor.limiter.window import WindowModel

TOO_MANY = 429
SERVER_ERROR = 500

_MARKS = {UNKNOWN_STATUS: "unknown", NOT_SENT_STATUS: "not sent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStatistics:
    """One window. used: counted or in flight; left: ≥ 0; frees_in_s: 0 while something is left."""

    used: int
    limit: int
    per_s: float
    left: int
    frees_in_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatistics:
    """One key. state: ok, no token, parked, probing, quarantined or disabled. reason: for people.

    origin: what the journal knew at start: "new" (never seen: unspent), "restored", "damaged" (spent).
    granted: permits since start. statuses: {worker: {HTTP status, "unknown" or "not sent": count}}.
    last_error: what went wrong last, "" = nothing; last_error_ago_s: how long ago.
    """

    name: str
    api: str
    tags: tuple[str, ...]
    state: str
    reason: str
    windows: tuple[WindowStatistics, ...]
    in_flight: int
    parked_for_s: float
    granted: int
    statuses: Mapping[str, Mapping[str, int]]
    origin: str
    last_error: str = ""
    last_error_ago_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitStatistics:
    """One worker's permits.

    limited_by: "hour", "second", "no key", "api down", or "" when somebody could go or nobody waits at this moment.
    is_kept_waiting: whether keys let many of the latest permits wait, if not just now.
    waits: of granted permits. request_waits: of those, not for starts. round_trips: of answered requests.
    """

    waiting_starts: int
    waiting_requests: int
    limited_by: str
    is_kept_waiting: bool
    waits: HistogramStatistics
    request_waits: HistogramStatistics
    round_trips: HistogramStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """How slots and keys press on each other at one moment, for one worker.

    claimable: jobs that could start. held, held_by: starts that wait for a key although such a job is there, and
    what the keys are out of. has_room: some key could serve a start. granted, refused, failed: since the start.
    """

    claimable: int
    held: int
    held_by: str
    has_room: bool
    granted: int
    refused: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterStatistics:
    """Everything: keys in the order of the file, workers by name, permits held or lingering, hosts of the APIs."""

    keys: tuple[KeyStatistics, ...]
    workers: Mapping[str, PermitStatistics]
    permits_out: int
    hosts: tuple[HostStatistics, ...] = ()


def statistics_of(limiter: Limiter, now: float) -> LimiterStatistics:
    """Return how the limiter stands at `now` (monotonic seconds)."""
    return LimiterStatistics(
        keys=tuple(_key(key, now) for key in limiter.ring.keys),
        workers={flow.worker: _permits(flow, now) for flow in limiter.dispatcher.flows.values()},
        permits_out=len(limiter.permits),
        hosts=tuple(host for hosts in limiter.ring.hosts() for host in hosts.statistics(now)),
    )


def pressure_of(limiter: Limiter, worker: str, now: float) -> Pressure:
    """Return `worker`'s pressure at `now`; cheap enough for many times a second."""
    flow = limiter.dispatcher.flow(worker)
    held_by = _limited_by(flow, now)
    priority = flow.start_priority()
    statuses = [
        (status, count) for key in limiter.ring.keys for (name, status), count in key.statuses.items() if name == worker
    ]
    return Pressure(
        claimable=sum(max(0, jobs) for jobs in flow.claimable),
        held=flow.starts.size if held_by and priority is not None else 0,
        held_by=held_by,
        has_room=priority is not None and _has_room(flow, priority, now),
        granted=sum(count for status, count in statuses if status != NOT_SENT_STATUS),
        refused=sum(count for status, count in statuses if status == TOO_MANY),
        failed=sum(count for status, count in statuses if status >= SERVER_ERROR or status == UNKNOWN_STATUS),
    )


def _has_room(flow: Flow, priority: int, now: float) -> bool:
    return flow.is_keyless or any(key.level(now) >= priority for key in flow.starts.candidates.keys)


def _key(key: Key, now: float) -> KeyStatistics:
    state, reason = _state(key, now)
    statuses: dict[str, dict[str, int]] = {}
    for (worker, status), count in key.statuses.items():
        statuses.setdefault(worker, {})[_MARKS.get(status, str(status))] = count
    return KeyStatistics(
        name=key.name,
        api=key.api.name,
        tags=key.settings.tags,
        state=state,
        reason=reason,
        windows=tuple(_window(window, key.quota.in_flight, now) for window in key.quota.windows),
        in_flight=key.quota.in_flight,
        parked_for_s=max(0.0, key.standing.parked_until - now) if state == "parked" else 0.0,
        granted=key.granted,
        statuses=statuses,
        origin=key.origin,
        last_error=key.last_error,
        last_error_ago_s=now - key.last_error_at if key.last_error else 0.0,
    )


def _state(key: Key, now: float) -> tuple[str, str]:
    standing = key.standing
    standing.settle(now)
    if key.settings.disabled:
        return "disabled", f"since {key.settings.disabled}; gatherer keys enable {key.name}"
    if standing.state is State.QUARANTINED:
        return "quarantined", standing.reason
    if key.credential is None:
        return "no token", key.token_reason
    if standing.state is State.HALF:
        return "probing", standing.reason
    return str(standing.state), standing.reason or standing.doubt or key.token_reason


def _window(window: WindowModel, in_flight: int, now: float) -> WindowStatistics:
    window.expire(now)
    used = window.count + in_flight
    frees_at = window.frees_at if used >= window.limit else now
    return WindowStatistics(
        used=used,
        limit=window.limit,
        per_s=window.per_s,
        left=max(0, window.limit - used),
        # Everything in flight: it frees a window after the first answer, at the earliest.
        frees_in_s=window.per_s if frees_at == math.inf else max(0.0, frees_at - now),
    )


def _permits(flow: Flow, now: float) -> PermitStatistics:
    return PermitStatistics(
        waiting_starts=flow.starts.size,
        waiting_requests=sum(lane.size for lane in flow.lanes() if not lane.is_starts),
        limited_by=_limited_by(flow, now),
        is_kept_waiting=flow.held_share >= HELD_SHARE,
        waits=flow.waits.statistics(),
        request_waits=flow.request_waits.statistics(),
        round_trips=flow.round_trips.statistics(),
    )


def _limited_by(flow: Flow, now: float) -> str:
    """Return what holds back the waiter whose turn it is in `flow`."""
    for priority, lane in flow.wanting():
        usable = [key for key in lane.candidates.keys if _is_usable(key)]
        if not usable:
            return "no key"
        if all(key.hosts.is_holding for key in usable):
            return "api down"
        if any(key.level(now) >= priority for key in usable):
            return ""
        binding = {key.quota.binding(priority, now) for key in usable}
        return "hour" if binding == {"hour"} else "second"
    return ""


def _is_usable(key: Key) -> bool:
    return key.credential is not None and key.standing.state not in (State.QUARANTINED, State.PARKED)
