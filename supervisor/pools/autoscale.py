"""Decide how many jobs at once a worker runs in each replica: an observation in, a decision out, nothing else.

    concurrency = "auto"   just enough that the keys, not the slots, are the bottleneck
    concurrency = 3        3, and `step` more at a time while the queue or an alert calls for it; back to 3 when calm

One law for both: the first rule of RULES that has something to say decides. So it never leaves min..max, never
moves twice within `cooldown`, and never goes up while the keys are spent or answers fail.

What is measured: a slot that waits for a key although a job waits is *held*; while some are, more slots would only
wait too. Time in which a job waits, no slot is held and a key has room is *open*: one slot more would use it.
Growth needs fewer than HELD_LOW of the slots held, a cut leaves about a quarter of them held (HEADROOM), and
between the two nothing moves: on a steady load it settles and stays.
"""

import math
from dataclasses import dataclass

from supervisor.settings.config import Autoscale

NEEDED_SPAN_S = 3.0  # what one key's second looks like is known after a few of them
HELD_LOW = 0.1
HEADROOM = 1.4
OPEN_SHARE = 0.2
ALL_THE_TIME = 0.9
WIDE_OPEN = 0.5
BACK_OFF = 0.7
CAUTIOUS_S = 60.0  # after trouble it grows by steps, not by doubling
HELPS = 0.25  # of what a doubling could bring; less means that something else is the bottleneck
PLATEAU_S = 600.0
NO_QUOTA = {"no key": "there is no usable key", "api down": "the API does not answer"}

CAUSES = ("trouble", "surplus", "wanted", "calm", "resolved", "bounds", "plateau")
TROUBLE, SURPLUS, WANTED, CALM, RESOLVED, BOUNDS, PLATEAU = CAUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """What was seen of one worker since its last move, or a little less. Shares: 0..1 of the looks.

    span_s: how long. waiting: jobs that could start, mean. wanting: share with such a job. held: slots held,
    mean. held_by: what held them mostly: second, hour, no key, api down, "" = nothing held. open: share of
    the time that was open. per_s: permits granted. trouble: what fails, in a person's words, "" = nothing.
    """

    span_s: float = 0.0
    waiting: float = 0.0
    wanting: float = 0.0
    held: float = 0.0
    held_by: str = ""
    open: float = 0.0
    per_s: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One worker at `now` (monotonic seconds).

    rest: where it comes back to: as written, and what alerts in force lift it by; auto: min. written: as in the
    file. concurrency: in force. replicas: ready ones. fixed: why nothing may move it, "" = it may. moved_at: -inf
    = never. owed: to be taken back because alerts were resolved. alert: asks for one step more, "" = none does.
    grown_from: (concurrency, permits per second) before the last growth. ceiling: more did not help a while ago.
    """

    now: float
    bounds: Autoscale
    written: int
    rest: int
    concurrency: int
    replicas: int
    averages: Averages
    fixed: str = ""
    moved_at: float = -math.inf
    owed: int = 0
    alert: str = ""
    cautious_until: float = -math.inf
    grown_from: tuple[int, float] | None = None
    ceiling: int | None = None

    @property
    def held_share(self) -> float:
        """Return the share of the slots that was held."""
        return self.averages.held / max(1, self.concurrency * self.replicas)

    @property
    def is_spent(self) -> bool:
        """Tell whether the keys are the bottleneck, so that more slots could only wait."""
        return bool(self.averages.held_by) and (self.held_share >= HELD_LOW or self.averages.open < OPEN_SHARE)

    @property
    def asks(self) -> str:
        """Return who or what asks for more, "" = nobody."""
        if self.alert:
            return f"alert {self.alert}"
        averages = self.averages
        if averages.waiting > self.bounds.waiting_above and averages.wanting >= ALL_THE_TIME:
            return f"{averages.waiting:,.0f} jobs wait"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where to be from now on, and why; cause: one of the words above, "" = nothing has happened.

    RESOLVED and PLATEAU may come with the concurrency that is in force: the debt is settled, the ceiling found.
    """

    concurrency: int
    why: str
    cause: str = ""


def decide(seen: Observation) -> Decision:
    """Return what to do with the worker."""
    for rule in RULES:
        decision = rule(seen)
        if decision is not None:
            return decision
    return _stay(seen, "nothing asks for more or less")


def _fixed(seen: Observation) -> Decision | None:
    return _stay(seen, seen.fixed) if seen.fixed else None


def _outside(seen: Observation) -> Decision | None:
    """At once, whatever the cooldown says: a person has edited the bounds."""
    inside = min(seen.bounds.max, max(seen.bounds.min, seen.concurrency))
    if inside == seen.concurrency:
        return None
    return Decision(concurrency=inside, cause=BOUNDS, why=f"min {seen.bounds.min} .. max {seen.bounds.max} of the file")


def _nobody(seen: Observation) -> Decision | None:
    return None if seen.replicas else _stay(seen, "no replica is ready")


def _too_soon(seen: Observation) -> Decision | None:
    left_s = seen.moved_at + seen.bounds.cooldown_s - seen.now
    if left_s > 0:
        return _stay(seen, f"moved a moment ago; cooldown for another {math.ceil(left_s)} s")
    return _stay(seen, "looking at queue and keys first") if seen.averages.span_s < NEEDED_SPAN_S else None


def _trouble(seen: Observation) -> Decision | None:
    if not seen.averages.trouble:
        return None
    less = max(seen.bounds.min, min(seen.concurrency - 1, int(seen.concurrency * BACK_OFF)))
    return _move(seen, less, TROUBLE, f"backing off: {seen.averages.trouble}")


def _resolved(seen: Observation) -> Decision | None:
    if not seen.owed:
        return None
    back = max(min(seen.written, seen.concurrency), seen.concurrency - seen.owed)
    return Decision(concurrency=back, cause=RESOLVED, why="its alert is resolved")


def _spent(seen: Observation) -> Decision | None:
    """The keys are the bottleneck: never up, and down to what keeps them busy. Without any, stand still."""
    if not seen.is_spent:
        return None
    slots = seen.concurrency * seen.replicas
    if seen.averages.held_by in NO_QUOTA:
        return _stay(seen, NO_QUOTA[seen.averages.held_by])
    held = f"the keys' {seen.averages.held_by} is the limit, {seen.averages.held:.1f} of {slots} slots wait for it"
    busy = slots - seen.averages.held
    enough = max(seen.rest, math.ceil(HEADROOM * busy / seen.replicas))
    if enough < seen.concurrency and seen.averages.wanting >= ALL_THE_TIME:
        return _move(seen, enough, SURPLUS, held)
    return _stay(seen, held)


def _useless(seen: Observation) -> Decision | None:
    """Growth that brought nothing is taken back: the machine, the database or the API is the bottleneck."""
    if seen.grown_from is None or not seen.bounds.auto or not seen.asks:
        return None
    before, per_s = seen.grown_from
    grown = seen.concurrency / before if before else 1.0
    if grown < 1.5 or per_s <= 0 or seen.averages.per_s >= per_s * (1 + HELPS * (grown - 1)):
        return None
    enough = max(before, math.ceil(1.1 * before * seen.averages.per_s / per_s))
    why = f"{before} → {seen.concurrency} brought {per_s:.0f} → {seen.averages.per_s:.0f} requests/s: keys do not limit"
    return Decision(concurrency=min(enough, seen.concurrency), cause=PLATEAU, why=why)


def _wanted(seen: Observation) -> Decision | None:
    if not seen.asks:
        return None
    if seen.concurrency >= seen.bounds.max:
        return _stay(seen, f"{seen.asks}, but max is {seen.bounds.max}")
    if seen.ceiling is not None and seen.concurrency >= seen.ceiling:
        return _stay(seen, "more did not help a while ago; neither keys nor concurrency are the limit")
    if not seen.alert and seen.averages.open < OPEN_SHARE:
        return _stay(seen, "every permit finds a slot")
    more = min(seen.bounds.max, seen.concurrency + _growth(seen))
    return _move(seen, more, WANTED, f"{seen.asks} and the keys have room")


def _growth(seen: Observation) -> int:
    is_far = seen.averages.open > WIDE_OPEN and seen.now >= seen.cautious_until
    return max(seen.bounds.step, seen.concurrency) if seen.bounds.auto and is_far else seen.bounds.step


def _calm(seen: Observation) -> Decision | None:
    """Come back to what is written, from above when the queue is short and from below when nothing fails."""
    if seen.bounds.auto or seen.concurrency == seen.rest:
        return None
    if seen.concurrency < seen.rest:
        more = min(seen.rest, seen.concurrency + seen.bounds.step)
        return _move(seen, more, CALM, "nothing fails any more") if seen.now >= seen.cautious_until else None
    if seen.averages.waiting > seen.bounds.waiting_above / 2:
        return _stay(seen, f"{seen.averages.waiting:,.0f} jobs still wait")
    less = max(seen.rest, seen.concurrency - seen.bounds.step)
    return _move(seen, less, CALM, f"only {seen.averages.waiting:,.0f} jobs wait")


RULES = (_fixed, _outside, _nobody, _too_soon, _trouble, _resolved, _spent, _useless, _wanted, _calm)


def _move(seen: Observation, to: int, cause: str, why: str) -> Decision:
    return Decision(concurrency=to, cause=cause if to != seen.concurrency else "", why=why)


def _stay(seen: Observation, why: str) -> Decision:
    return Decision(concurrency=seen.concurrency, why=why)
