"""Virtual hours of endless background work: the hour is never exceeded, and urgent requests do not notice."""

from random import Random

import pytest

from supervisor.settings.config import Window
from tests.limiter.network import Network
from tests.limiter.simulation import Simulation, StrictServer
from tests.limiter.support import Bench, api, config

BACKGROUND, URGENT = 2, 0


class PacedHours(Simulation):
    """A background backlog without end, and an urgent request every minute whose wait is measured."""

    def __init__(self, per_hour: int, hours: float, *, urgent_every_s: float = 60.0) -> None:
        random = Random(5)
        windows = (Window(requests=100, per_s=1.0), Window(requests=per_hour, per_s=3600.0))
        server = StrictServer([(window.requests, window.per_s) for window in windows])
        bench = Bench(config(api(windows=windows)), now=0.0)
        super().__init__(bench, server, Network(random, jitter_s=0.03), random)
        self._background = self.connect("characters")
        self._urgent = self.connect("characters")
        self.asked_at: dict[int, float] = {}
        self._urgent_every_s = urgent_every_s
        self.on_answer = self._again
        for _ in range(50):
            self.ask(self._background, priority=BACKGROUND)
        self.at(urgent_every_s, self._ask_urgent)
        self.run(until=hours * 3600.0)

    def _again(self, connection: int, ask: int) -> None:
        if connection == self._background:
            self.ask(connection, priority=BACKGROUND)

    def _ask_urgent(self) -> None:
        now = self.bench.now
        self.asked_at[self.ask(self._urgent, priority=URGENT)] = now
        self.at(now + self._urgent_every_s, self._ask_urgent)

    @property
    def waits(self) -> list[float]:
        return sorted(self.granted_at[ask] - asked for ask, asked in self.asked_at.items())

    def granted_between(self, begin_s: float, end_s: float) -> int:
        return sum(begin_s <= at < end_s for at in self.granted_at.values())


def check(hours: PacedHours, per_hour: int, simulated: float) -> None:
    assert hours.server.refused == 0
    assert hours.server.peak("osint-1", 3600.0) <= per_hour
    assert hours.server.peak("osint-1", 1.0) <= 100
    assert len(hours.waits) >= simulated * 59
    assert hours.waits[int(len(hours.waits) * 0.95)] < 1.0
    for hour in range(1, int(simulated)):
        spent = hours.granted_between(hour * 3600.0, (hour + 1) * 3600.0)
        assert 0.88 * per_hour < spent <= 0.91 * per_hour


def test_urgent_requests_wait_under_a_second_while_nine_tenths_are_spent() -> None:
    check(PacedHours(720, 3.0), 720, 3.0)


def test_the_background_is_spread_over_the_hour_and_its_first_burst_does_not_return() -> None:
    hours = PacedHours(720, 2.0)
    minutes = [hours.granted_between(minute * 60.0, (minute + 1) * 60.0) for minute in range(120)]
    assert minutes[0] > 25, "the burst"
    assert max(minutes[60:]) <= 20, "no echo of it an hour later"


def test_hour_burst_spends_as_asked() -> None:
    windows = (Window(requests=100, per_s=1.0), Window(requests=300, per_s=3600.0))
    bench = Bench(config(api(windows=windows, hour="burst")))
    replica = bench.replica()
    for _ in range(3):
        for _ in range(100):
            grant = replica.get(priority=BACKGROUND)
            assert grant is not None
            replica.answered(grant)
        bench.advance(1.01)
    assert replica.get(priority=URGENT) is None
    replica.ask(priority=BACKGROUND, wait_s=3600.0)
    bench.advance(3590.0)
    assert len(replica.grants) == 300
    bench.advance(10.0)
    assert len(replica.grants) == 301


@pytest.mark.slow
def test_three_real_hours_of_a_blizzard_key() -> None:
    check(PacedHours(36_000, 3.0), 36_000, 3.0)
