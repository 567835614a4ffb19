"""Whether an API answers at all: a circuit breaker for each of its hosts.

    up ──half of the last 20 requests fail──▶ down ──5 s──▶ one probe ──answered──▶ up
                                               ▲              │ failed: twice the wait, at most a minute
                                               └──────────────┘
A request fails by 5xx, by no answer in time, by a broken connection or by none at all; every other status
is an answer. While a host is down its requests get no permit, so no job spends an attempt on it. Starts,
whose host nobody knows yet, wait while no other host of the API answers either.

Decisions only: time is an argument, whoever calls acts.
"""

import math
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from supervisor.settings.config import Api

LOOK_BACK = 20
MIN_RESULTS = 10
FAILING_SHARE = 0.5
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 60.0
STEADY_S = 120.0
"""A host that goes down again so soon after it came up is waited for as long as before."""
LATELY_S = 60.0
"""Another host counts as answering when it did so within this time."""
PROBE_MARGIN_S = 30.0
"""A probe that nobody speaks of any more is over after the API's timeout and this."""
UNSENT_WAIT_S = 1.0
MAX_REGIONS = 100
"""Regions are texts that replicas send; further ones are taken for the API's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatistics:
    """One host. why: what its last failure was. down_for_s: 0 while up. next_probe_in_s: 0 = now or under way."""

    host: str
    api: str
    is_down: bool
    down_for_s: float
    failed: int
    of: int
    why: str
    next_probe_in_s: float


class Host:
    """One host. down_since, answered_at, next_probe_at: monotonic seconds; down_since is None while it is up."""

    __slots__ = ("_came_up_at", "_wait_s", "answered_at", "down_since", "name", "next_probe_at", "results", "why")

    def __init__(self, name: str) -> None:
        self.name = name
        self.results: deque[bool] = deque(maxlen=LOOK_BACK)
        self.down_since: float | None = None
        self.next_probe_at = math.inf
        self.answered_at = -math.inf
        self.why = ""
        self._came_up_at = -math.inf
        self._wait_s = FIRST_WAIT_S

    @property
    def failed(self) -> int:
        """Return how many of the last results are failures."""
        return self.results.count(False)

    def note(self, failure: str, now: float, *, is_probe: bool) -> bool:
        """Take note of how a request ended, "" = answered. Return whether the host went down or came up."""
        if not failure:
            self.answered_at = now
        else:
            self.why = failure
        if self.down_since is not None:
            return is_probe and self._probed(failure, now)
        self.results.append(not failure)
        if len(self.results) < MIN_RESULTS or self.failed <= len(self.results) * FAILING_SHARE:
            return False
        if now - self._came_up_at > STEADY_S:
            self._wait_s = FIRST_WAIT_S
        self.down_since = now
        self.next_probe_at = now + self._wait_s
        return True

    def _probed(self, failure: str, now: float) -> bool:
        self._wait_s = min(LONGEST_WAIT_S, 2 * self._wait_s)
        if failure:
            self.next_probe_at = now + self._wait_s
            return False
        self.down_since = None
        self.next_probe_at = math.inf
        self._came_up_at = now
        self.results.clear()
        return True


class Hosts:
    """The hosts of one API, by region; keys of the API share them.

    has_trouble: a host failed lately or is down; without trouble nothing here needs asking.
    is_holding: a host is down and no other answers, so starts wait.
    """

    __slots__ = ("_api", "_by_region", "_probing_until", "has_trouble", "is_holding")

    def __init__(self, api: Api) -> None:
        self._api = api
        self._by_region: dict[str, Host] = {}
        self._probing_until = -math.inf
        self.has_trouble = False
        self.is_holding = False
        self.of(api.region)

    def is_of(self, api: Api) -> bool:
        """Tell whether these are the hosts of `api` as it is now."""
        ours = self._api
        return (ours.base_url, ours.region, ours.timeout_s) == (api.base_url, api.region, api.timeout_s)

    def of(self, region: str) -> Host:
        """Return the host that requests for `region` ("" = the API's) go to."""
        found = self._by_region.get(region)
        if found is None:
            if not region or len(self._by_region) >= MAX_REGIONS:
                return self.of(self._api.region)
            name = urlsplit(self._api.base_url.replace("{region}", region)).netloc
            same = (host for host in self._by_region.values() if host.name == name)
            found = self._by_region[region] = next(same, None) or Host(name)
        return found

    def note(self, region: str, failure: str, now: float, *, is_probe: bool) -> Host | None:
        """Take note of how a request ended, "" = answered. Return its host when that went down or came up."""
        host = self.of(region)
        has_changed = host.note(failure, now, is_probe=is_probe)
        if is_probe:
            self._probing_until = now + FIRST_WAIT_S if failure else -math.inf
        self._look(now)
        return host if has_changed else None

    def probe_unsent(self, now: float) -> None:
        """Take note that a probe never left, or that its fate says nothing about the host."""
        self._probing_until = now + UNSENT_WAIT_S

    def is_down(self, region: str) -> bool:
        """Tell whether the host of `region` is down."""
        return self.of(region).down_since is not None

    def lets(self, region: str, now: float) -> bool:
        """Tell whether a request for `region` may go: its host is up, or due for a probe."""
        host = self.of(region)
        return host.down_since is None or (now >= host.next_probe_at and now >= self._probing_until)

    def lets_some(self, now: float) -> bool:
        """Tell whether any request may go: as long as nothing is held, or as a probe."""
        return not self.is_holding or now >= self.opens_at()

    def opens_at(self) -> float:
        """Return when the next probe may go; only while a host is down."""
        return max(self._probing_until, min(host.next_probe_at for host in self._by_region.values()))

    def sent(self, region: str, now: float, *, is_start: bool) -> bool:
        """Take note of a grant while there is trouble; tell whether it is a probe. A start's region is unknown."""
        is_probe = self.is_holding if is_start else self.is_down(region)
        if is_probe:
            self._probing_until = now + self._api.timeout_s + PROBE_MARGIN_S
        return is_probe

    def held(self) -> tuple[str, ...]:
        """Return the regions whose host is down."""
        return tuple(region for region, host in self._by_region.items() if host.down_since is not None)

    def statistics(self, now: float) -> list[HostStatistics]:
        """Return how each host stands."""
        return [
            HostStatistics(
                host=host.name,
                api=self._api.name,
                is_down=host.down_since is not None,
                down_for_s=0.0 if host.down_since is None else now - host.down_since,
                failed=host.failed,
                of=len(host.results),
                why=host.why,
                next_probe_in_s=0.0 if host.down_since is None else max(0.0, host.next_probe_at - now),
            )
            for host in dict.fromkeys(self._by_region.values())
        ]

    def _look(self, now: float) -> None:
        hosts = self._by_region.values()
        is_down = any(host.down_since is not None for host in hosts)
        self.has_trouble = is_down or any(False in host.results for host in hosts)
        self.is_holding = is_down and not any(
            host.down_since is None and now - host.answered_at < LATELY_S for host in hosts
        )
