"""What a restart costs in permits, and that it breaks no window, with real limits and a saturated key."""

from pathlib import Path

import pytest

from tests.limiter.adversary import Adversary, Request
from tests.limiter.machine import Machine
from tests.limiter.servers import LOG
from tests.limiter.support import HOUR, SECOND, Replica, api

LIMITS = api(windows=(SECOND, HOUR), hour="burst")
RTT_S = 0.05


class Saturated:
    """A key from which every permit is taken at once and answered RTT_S later."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder, LIMITS)
        self.adversary = Adversary(LOG, (SECOND, HOUR))
        self.granted_at: list[float] = []
        self._out: list[tuple[float, int, Request]] = []
        self._start()

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self._take()
            answered_at = self._out[0][0] if self._out else end
            self._pass_to(min(end, answered_at, max(self.machine.bench.limiter.next_at(), self.now)))
            while self._out and self._out[0][0] <= self.now:
                _, n, request = self._out.pop(0)
                self.adversary.answered(request, self.now)
                self.replica.answered(self.replica.grants[n])

    def settle(self) -> None:
        """Let everything that is out be answered, and take nothing more."""
        while self._out:
            at, n, request = self._out.pop(0)
            self._pass_to(max(at, self.now))
            self.adversary.answered(request, self.now)
            self.replica.answered(self.replica.grants[n])

    def restart(self, *, cleanly: bool) -> None:
        if cleanly:
            self.machine.stop()
        else:
            self.machine.crash()
        for _, _, request in self._out:
            self.adversary.given_up(request, self.now)
        self._out = []
        self.machine.pass_time(0.001)
        self._start()

    @property
    def now(self) -> float:
        return self.machine.bench.now

    def _start(self) -> None:
        self.machine.start()
        self.replica: Replica = self.machine.bench.replica()
        self.replica.ask(wait_s=1e6)
        self._seen = 0

    def _pass_to(self, moment: float) -> None:
        self.machine.pass_time(moment - self.now)
        self._take()

    def _take(self) -> None:
        while len(self.replica.grants) > self._seen:
            request = self.adversary.sent(self.now)
            self.granted_at.append(self.now)
            self._out.append((self.now + RTT_S, self._seen, request))
            self._seen += 1
            assert self.adversary.excess(self.now) == 0
            self.replica.ask(wait_s=1e6)


@pytest.fixture
def saturated(tmp_path: Path) -> Saturated:
    return Saturated(tmp_path)


def permits_lost(it: Saturated, began: float) -> int:
    """Return how many permits fewer were granted in the four seconds from `began` than in the four before."""
    before = sum(began - 4.0 <= at < began for at in it.granted_at)
    return before - sum(began <= at < began + 4.0 for at in it.granted_at)


def test_a_clean_restart_costs_a_window_of_permits_at_most(saturated: Saturated) -> None:
    saturated.run(5.0)
    saturated.settle()
    began = saturated.now
    saturated.restart(cleanly=True)
    saturated.run(4.1)
    assert permits_lost(saturated, began) <= 100


def test_a_crash_costs_a_window_and_the_linger_at_most_and_the_first_permit_comes_within_4_s(
    saturated: Saturated,
) -> None:
    saturated.run(5.0)
    began = saturated.now
    saturated.restart(cleanly=False)
    saturated.run(4.1)
    assert permits_lost(saturated, began) <= 300
    assert next(at for at in saturated.granted_at if at > began) - began < 4.0


@pytest.mark.slow
def test_many_restarts_one_after_another_exceed_no_window(saturated: Saturated) -> None:
    """The adversary counts each request when it is worst; every grant is checked."""
    for n in range(12):
        saturated.run(0.3 * (n % 5) + 0.05)
        saturated.restart(cleanly=n % 3 == 0)
    saturated.run(4.0)
    assert len(saturated.granted_at) > 500
