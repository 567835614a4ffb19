"""Decide: desired against actual replicas of one pool, and which replica has lived too long.

Pure functions over frozen views; `Pools` acts on what they return. Comparing states, not reacting
to events, makes every path (crash, edit, restart, zygote lost) the same path.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from supervisor.pools.limits import Limits

STARTING, READY, DRAINING, STOPPED = "starting", "ready", "draining", "stopped"

START_TIMEOUT, HUNG, GRACE_OVER, CONNECTION_LOST = "start timeout", "hung", "grace over", "connection lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One replica as a decision sees it.

    number: of its slot, ≥ 1. born_at: monotonic. stale: made from an older recipe (module, path,
    environment, restart), to be replaced.
    """

    number: int
    state: str
    executing: int
    born_at: float
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Slots to fill and slots to drain, in order."""

    spawn: tuple[int, ...] = ()
    drain: tuple[int, ...] = ()


def plan(desired: int, views: Sequence[View]) -> Plan:
    """Return what brings the pool to `desired` live replicas of the current recipe.

    Stale replicas are replaced rolling: one more than desired at a time, and none is drained before
    its successor is ready. Never drains and spawns for the same reason, so it cannot oscillate.
    """
    live = [view for view in views if view.state in {STARTING, READY}]
    fresh = [view for view in live if not view.stale]
    stale = [view for view in live if view.stale]
    draining = sum(view.state == DRAINING for view in views)
    surge = 1 if stale and not draining else 0
    missing = min(desired + surge - len(live), desired - len(fresh))
    serving = len(stale) + sum(view.state == READY for view in fresh)
    drain = [
        *newest_idle_first(stale)[: max(0, serving - desired)],
        *newest_idle_first(fresh)[: max(0, len(fresh) - desired)],
    ]
    return Plan(
        spawn=lowest_free({view.number for view in views}, max(0, missing)),
        drain=tuple(view.number for view in drain),
    )


def newest_idle_first(views: Sequence[View]) -> list[View]:
    """Return `views` in the order in which to drain them: least lost first."""
    return sorted(views, key=lambda view: (view.state == READY, view.executing, -view.born_at, -view.number))


def lowest_free(taken: set[int], n: int) -> tuple[int, ...]:
    """Return the `n` smallest numbers ≥ 1 outside `taken`.

    A slot in backoff is among them: its backoff must not be dodged by taking the next number.
    """
    candidates = range(1, len(taken) + n + 1)
    return tuple([number for number in candidates if number not in taken][:n])


def too_heavy(views: Sequence[View], pss_bytes: Mapping[int, int], most_bytes: int) -> int | None:
    """Return the slot whose replica takes too much memory and may be replaced now; None = there is none.

    pss_bytes: by slot. One at a time: as long as anything starts, drains or is to be replaced, nobody is
    added, or replacements of heavy replicas would need the memory of several at once.
    """
    if any(view.state != READY or view.stale for view in views):
        return None
    heavy = [view.number for view in views if pss_bytes.get(view.number, 0) > most_bytes]
    return max(heavy, key=lambda number: pss_bytes[number], default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vigil:
    """What is known of a replica's promptness, all monotonic seconds; None = not the case.

    was_ready: it has said READY once, and owes heartbeats since then.
    """

    state: str
    born_at: float
    heard_at: float
    was_ready: bool
    kill_at: float | None = None
    lost_at: float | None = None


def why_kill(vigil: Vigil, now: float, limits: Limits) -> str | None:
    """Return why this replica must be killed now; None = let it live."""
    if vigil.state == STOPPED:
        return None
    if vigil.lost_at is not None and now - vigil.lost_at >= limits.closing_s:
        return CONNECTION_LOST
    if vigil.kill_at is not None and now >= vigil.kill_at:
        return GRACE_OVER
    if vigil.state == STARTING and now - vigil.born_at >= limits.start_timeout_s:
        return START_TIMEOUT
    if vigil.was_ready and now - vigil.heard_at >= limits.silence_s:
        return HUNG
    return None
