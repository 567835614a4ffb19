"""Full hours: all of each is spent, and not one request more."""

import pytest

from tests.limiter.hours import HOUR_S, full_hours, share_of_the_hour


@pytest.mark.parametrize("hour", ["burst", "paced"])
def test_urgent_work_spends_the_whole_hour_again_and_again(hour: str) -> None:
    simulation = full_hours(720, 3, hour=hour)
    assert simulation.server.refused == 0
    assert simulation.server.peak("osint-1", HOUR_S) == 720
    assert share_of_the_hour(simulation, 720) >= 0.999


@pytest.mark.slow
def test_two_full_hours_of_a_blizzard_key() -> None:
    simulation = full_hours(36_000, 2)
    assert simulation.server.refused == 0
    assert simulation.server.peak("osint-1", HOUR_S) == 36_000
    assert share_of_the_hour(simulation, 36_000) >= 0.999
