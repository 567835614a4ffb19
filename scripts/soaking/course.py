"""The course of a soak.

    first half    everything breaks: replicas, zygote, database, supervisor, all at once, network, API, file
    settled       faults off, restart, retry; the world moves on by a day
    second half   the same below one supervisor, which must not grow; in its first third zygote and database die too
    at rest       descriptors counted as before the half; settled; drained; audited

Meanwhile the same world is read by a system that nobody breaks.
"""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from scripts.benchmarks.deeds import Deeds
from scripts.benchmarks.system import System, World, gatherer, wait_until_ready
from scripts.soaking import settings
from scripts.soaking.audits.secrets import Needles
from scripts.soaking.breaking import Breaker, wait_until_calm
from scripts.soaking.feeding import Feeder, Ledger
from scripts.soaking.plan import Plan
from scripts.soaking.settling import settle
from scripts.soaking.watching import Watch, descriptors
from scripts.soaking.weather import Weather
from scripts.soaking.worlds import Worklist, judged, willing
from tests.support.proxy import Proxy, proxy

WARM_SHARE = 1 / 3  # of the second half: parts still die; after it memory is watched
CALM_WITHIN_S = 120.0
LEAST_SETTLE_S, SETTLE_SHARE = 120.0, 0.5
UNBROKEN_WITHIN_S = 1200.0


@dataclass
class Seen:
    """What a soak saw, for the audits and the report. Folders hold state/, run/ and the log."""

    plan: Plan
    broken: Path
    unbroken: Path
    marker: str
    ledger: Ledger = field(default_factory=Ledger)
    needles: Needles = field(default_factory=lambda: Needles([settings.SECRET]))
    done: Counter[str] = field(default_factory=Counter)
    recovered_s: dict[str, list[float]] = field(default_factory=dict)
    gone_after_s: list[float] = field(default_factory=list)
    settled_s: list[float] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    most_mb: dict[str, float] = field(default_factory=dict)
    statistics: dict[str, Any] = field(default_factory=dict)
    arrivals: dict[str, list[float]] = field(default_factory=dict)
    pages: int = 0
    findings: list[str] = field(default_factory=list)


def run(plan: Plan, folder: Path) -> Seen:
    """Do it all; audits that need the system alive have left their findings."""
    broken, unbroken = folder / "broken", folder / "unbroken"
    for each in (broken, unbroken, broken / "temporary"):
        each.mkdir()
    seen = Seen(plan=plan, broken=broken, unbroken=unbroken, marker=str(broken / "temporary"))
    with ThreadPoolExecutor(1, "unbroken") as beside:
        other = beside.submit(_read_unbroken, unbroken, plan)
        _break(seen)
        if unfinished := other.result(UNBROKEN_WITHIN_S):
            seen.findings.append(f"the run without faults did not finish: {unfinished}")
    return seen


def _read_unbroken(folder: Path, plan: Plan) -> str:
    with willing(folder, plan) as world, gatherer(folder, settings.unbroken(world)) as system:
        worklist = Worklist(world, plan)
        deadline = time.monotonic() + UNBROKEN_WITHIN_S
        before = settle(system, worklist.all(), deadline)
        worklist.change()
        return before or settle(system, worklist.all(), deadline) or settle(system, worklist.changed, deadline)


def _break(seen: Seen) -> None:
    plan, folder = seen.plan, seen.broken
    environment = os.environ | {"TMPDIR": seen.marker}
    with judged(folder, plan) as world:
        address = urlsplit(world.base_url)
        assert address.hostname is not None
        assert address.port is not None
        with proxy(address.hostname, address.port, plan.seed) as way:
            text = settings.broken(world, way.port)
            with gatherer(folder, text, environment=environment) as system, _told(seen):
                Soak(seen, system, world, way).run()
        seen.done += way.done
        seen.statistics, seen.arrivals = world.statistics(), world.arrivals()


@contextmanager
def _told(seen: Seen) -> Iterator[None]:
    """Make a finding of whatever ends the run early, so that what there is of it is audited all the same."""
    try:
        yield
    except SystemExit as error:
        if not isinstance(error.code, str):
            raise  # somebody ends us
        seen.findings.append(error.code)
    except subprocess.TimeoutExpired as error:
        seen.findings.append(f"the supervisor did not end within {error.timeout:g} s")


class Soak:
    """One broken run, from ready to drained."""

    def __init__(self, seen: Seen, system: System, world: World, way: Proxy) -> None:
        self._seen = seen
        self._plan = seen.plan
        self._system = system
        self._world = world
        self._random = Random(seen.plan.seed)
        self._weather = Weather(world, self._random)
        self._breaker = Breaker(system, way, self._weather, self._random)
        self._deeds = Deeds(system)
        self._worklist = Worklist(world, seen.plan)

    def run(self) -> None:
        with Watch(self._system, self._seen.needles) as watch:
            try:
                self._course(watch)
            finally:
                self._note(watch)
        self._drain()

    def _course(self, watch: Watch) -> None:
        seen, half_s = self._seen, self._plan.half_s
        self._half([(time.monotonic() + half_s, ("below", "parts", "whole"))])
        self._settle([])
        self._worklist.change()
        seen.before = self._at_rest("before the second half")
        began = time.monotonic()
        warm_at = began + WARM_SHARE * half_s
        self._half([(warm_at, ("below", "parts")), (began + half_s, ("below",))])
        seen.after = self._at_rest("after the second half")
        seen.memory = watch.since(warm_at)
        self._settle(self._worklist.changed)

    def _note(self, watch: Watch) -> None:
        seen = self._seen
        seen.findings += watch.zombies
        seen.pages, seen.most_mb = watch.read.total(), watch.most_mb
        seen.done += self._breaker.done + self._weather.done
        seen.recovered_s, seen.gone_after_s = self._breaker.recovered_s, self._breaker.chaos.gone_after_s

    def _half(self, spans: list[tuple[float, tuple[str, ...]]]) -> None:
        """Feed all work while one span after the other breaks what it names; then end every fault."""
        self._breaker.begin_again()
        work = self._worklist.all()
        seconds = spans[-1][0] - time.monotonic()
        feeder = Feeder(self._system, self._seen.ledger, self._deeds, work, seconds, Random(self._plan.seed))
        try:
            with feeder:
                for until, depths in spans:
                    self._breaker.keep_breaking(until, depths)
        finally:
            self._breaker.make_whole()
        self._left = feeder.remaining()
        for output in feeder.outputs:
            self._seen.needles.search("the output of gatherer enqueue", output)

    def _at_rest(self, when: str) -> dict[str, int]:
        if unrest := wait_until_calm(self._system, time.monotonic() + CALM_WITHIN_S):
            self._seen.findings.append(f"no rest within {CALM_WITHIN_S:g} s {when}: {unrest}")
        return descriptors(self._system)

    def _settle(self, more: list[tuple[str, str]]) -> None:
        """Restart as an operator would after an outage, and finish what is left of the half."""
        began = time.monotonic()
        deadline = began + max(LEAST_SETTLE_S, SETTLE_SHARE * self._plan.seconds)
        self._breaker.done["clean restarts"] += 1
        self._system.stop()
        self._system.start()
        wait_until_ready(self._system)
        unfinished = settle(self._system, self._left, deadline) or settle(self._system, more, deadline)
        if unfinished:
            self._seen.findings.append(f"not finished {deadline - began:.0f} s after the last fault: {unfinished}")
        self._seen.settled_s.append(time.monotonic() - began)

    def _drain(self) -> None:
        try:
            self._system.stop()
        except SystemExit as error:
            self._seen.findings.append(f"the drain: {error}")
