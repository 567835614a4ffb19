"""All windows of one key, with the requests in flight: may one more go?

A request in flight holds a slot in every window from its grant until its fate is known, then it is
counted from that moment (`window.py`). Invariant: in flight + counted ≤ limit, in every window.
"""

import math

from supervisor.core.job import Priority
from supervisor.limiter.evidence import Evidence
from supervisor.limiter.modes import make_window
from supervisor.limiter.pacing import Pacing
from supervisor.limiter.past import Past
from supervisor.limiter.window import WindowModel
from supervisor.settings.config import Api

LEAST_URGENT = int(Priority.BACKGROUND)
NOTHING = -1
"""A level below every priority."""


class Quota:
    """Windows, pacing and requests in flight of one key.

    in_flight: granted and not yet counted or given back, ≥ 0; includes those of unknown fate.
    evidence: what answers tell beyond their number.
    """

    __slots__ = ("_gone", "_longest", "_rules", "_settings", "_whole", "evidence", "in_flight")

    def __init__(self, api: Api, use: float) -> None:
        self.in_flight = 0
        self.evidence = Evidence(api)
        self._rules: tuple[tuple[WindowModel, Pacing | None], ...] = ()
        self._longest: WindowModel
        # Longer than all that are configured now: counted on, because who takes it out may put it back.
        self._gone: WindowModel | None = None
        self._build(api, use, {})

    @property
    def windows(self) -> list[WindowModel]:
        """Return the windows, as configured."""
        return [window for window, _ in self._rules]

    @property
    def longest(self) -> WindowModel:
        """Return the longest window."""
        return self._longest

    def left_share(self, now: float) -> float:
        """Return the share of the longest window that is neither counted nor in flight; 0..1, negative when over."""
        window = self._longest
        if now >= window.frees_at:
            window.expire(now)
        return 1.0 - (window.count + self.in_flight) / window.limit

    def level(self, now: float, share: float = 1.0) -> int:
        """Return the least urgent `Priority` of which one more request may go now; NOTHING = none may.

        share: of the short windows that may be used, 0..1 (a key that recovers from a 429).
        """
        in_flight = self.in_flight
        level = LEAST_URGENT
        for window, pacing in self._rules:
            if now >= window.frees_at:
                window.expire(now)
            used = window.count + in_flight
            if used >= window.limit:
                return NOTHING
            if pacing is not None:
                open_to = pacing.level(used, now)
                if open_to < level:
                    level = open_to
            elif share < 1.0 and used >= max(1, int(window.limit * share)) and not window.is_long:
                return NOTHING
        return level

    def frees_at(self, priority: int, share: float = 1.0) -> float:
        """Return a moment before which `level` stays below `priority` by itself; in the past when it does not.

        inf: only an answer can free it (everything is in flight). Never later than the true moment.
        """
        latest = -math.inf
        for window, pacing in self._rules:
            used = window.count + self.in_flight
            limit = window.limit if share >= 1.0 or window.is_long else max(1, int(window.limit * share))
            is_closed = pacing is not None and priority > 0 and not pacing.is_open(used)
            if used >= limit or is_closed:
                latest = max(latest, window.frees_at)
            if pacing is not None:
                latest = max(latest, pacing.frees_at(priority))
        return latest

    def binding(self, priority: int, now: float) -> str:
        """Return what holds a request of `priority` back: "hour" (a long window), "second" or "" (nothing)."""
        holding = ""
        for window, pacing in self._rules:
            window.expire(now)
            used = window.count + self.in_flight
            if used >= window.limit or (pacing is not None and pacing.level(used, now) < priority):
                if window.is_long:
                    return "hour"
                holding = "second"
        return holding

    def granted(self, priority: int, now: float) -> None:
        """Put one more request in flight."""
        self.in_flight += 1
        for _, pacing in self._rules:
            if pacing is not None:
                pacing.granted(priority, now)

    def charge(self, now: float) -> None:
        """Count one request in flight as answered at `now`."""
        self.in_flight -= 1
        for window, _ in self._rules:
            window.charge(now)
        if self._gone is not None:
            self._gone.charge(now)
            self._gone.expire(now)

    def count_up(self, allowed: int, remaining: int, now: float) -> None:
        """Believe an API that says of its window of `allowed` requests that fewer remain than we know of.

        Others may use the key too. It never lowers our count, and concerns no window of another size.
        """
        for settings, (window, _) in zip(self._settings, self._rules, strict=True):
            missing = window.limit - remaining - self.in_flight - window.count
            if settings.requests == allowed and missing > 0:
                window.charge(now, missing)

    def not_sent(self, priority: int) -> None:
        """Take one request in flight back: no byte of it can have left."""
        self.in_flight -= 1
        for _, pacing in self._rules:
            if pacing is not None:
                pacing.not_sent(priority)

    def restore(self, past: Past, now: float) -> int:
        """Count what an earlier process spent; return how many requests of it are in flight: somebody must end them.

        Call once, before the first grant.
        """
        unknown = past.unknown + self._most_in(past.unflushed_s)
        for window, pacing in self._rules:
            # Not the present share of it: the earlier process may have had another.
            whole = self._whole[window.per_s]
            if window.is_long:
                for at, requests in past.charges:
                    window.charge(at, min(requests, whole))
            elif past.short_full_at is not None:
                window.charge(past.short_full_at, whole)
            if pacing is not None:
                pacing.replay(past.charges, now)
            window.expire(now)
        self.in_flight += unknown
        return unknown

    def learn(self, *, sent_at: float, now: float, rtt_s: float, date_s: float, path: str) -> str:
        """Let an answer narrow what is known; return what an operator should hear of it, "" = nothing.

        Worth a call only while `evidence.learns`. See `Evidence.heard`.
        """
        if self.evidence.heard(sent_at=sent_at, now=now, rtt_s=rtt_s, date_s=date_s, path=path):
            self._recount(now)
        news = self.evidence.contradicted(now)
        if news:
            self._recount(now)
        return news

    def doubt(self, now: float) -> str:
        """Trust less in what was learnt: a 429 came. Return what an operator should hear of it, "" = nothing."""
        news = self.evidence.doubted(now)
        if news:
            self._recount(now)
        return news

    def wall(self, zero_at: float, now: float) -> None:
        """Take note where Unix time 0 of this machine's clock lies, in monotonic seconds."""
        if self.evidence.wall(zero_at, now):
            self._recount(now)

    def reshape(self, api: Api, use: float, now: float) -> None:
        """Take new limits over without forgetting what is spent.

        A short window of a length or a kind that we did not count starts full, by the whole limit: more than
        the present share of it may have been spent. A long one is filled from the longest that we have or had.
        """
        known = [*self.windows, *([self._gone] if self._gone else [])]
        before = {(type(window), window.per_s): window for window in known}
        furthest = max(known, key=lambda window: window.per_s)
        paced = {window.per_s for window, pacing in self._rules if pacing is not None}
        history = furthest.entries()
        for window in before.values():
            window.expire(now)
        self._build(api, use, before)
        self._gone = furthest if furthest.per_s > self._longest.per_s else None
        for window, pacing in self._rules:
            if (type(window), window.per_s) not in before:
                for at, requests in history if window.is_long else [(now, self._whole[window.per_s])]:
                    window.charge(at, requests)
                window.expire(now)
            if pacing is not None and window.per_s not in paced:
                pacing.replay(history, now)
        self.evidence.follow(api)
        self._recount(now)

    def _recount(self, now: float) -> None:
        phase = self.evidence.phase(now)
        for window, _ in self._rules:
            window.recount(now, self.evidence.theta_s, phase)

    def _build(self, api: Api, use: float, before: dict[tuple[type, float], WindowModel]) -> None:
        pacings = {window.per_s: pacing for window, pacing in self._rules if pacing is not None}
        rules: list[tuple[WindowModel, Pacing | None]] = []
        for settings in api.windows:
            window = make_window(settings, use=use, mode=api.mode)
            kept = before.get((type(window), settings.per_s))
            if kept is not None:
                kept.limit = window.limit
                window = kept
            pacing = None
            if window.is_long and api.hour == "paced":
                pacing = pacings.get(window.per_s) or Pacing(window.limit, window.per_s)
                pacing.resize(window.limit, window.per_s)
            rules.append((window, pacing))
        self._settings = api.windows
        self._rules = tuple(rules)
        self._whole = {settings.per_s: settings.requests for settings in api.windows}
        self._longest = max((window for window, _ in rules), key=lambda window: window.per_s)

    def _most_in(self, seconds: float) -> int:
        """Return the most requests that the windows can have allowed in `seconds`."""
        return min(requests * math.ceil(seconds / per_s) for per_s, requests in self._whole.items())
