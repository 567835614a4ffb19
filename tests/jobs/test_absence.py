"""The absence brake: when too many known things are denied at once, nothing is hidden and nothing purged."""

import pytest

from supervisor.worker.sdk import Done, Effect
from tests.jobs.harness import Harness

HOUR_S, DAY_S = 3600.0, 86_400.0
ROW = {
    "id": 1,
    "display_name": "x",
    "gender": "MALE",
    "faction": "HORDE",
    "race_id": 1,
    "race": "x",
    "class_id": 1,
    "class": "x",
    "spec_id": None,
    "spec": None,
    "guild_id": None,
    "guild": None,
    "guild_name": None,
    "level": 80,
    "achievement_points": 0,
    "average_item_level": None,
    "equipped_item_level": None,
    "last_login_at": 0.0,
    "status_checked": True,
}


class Population:
    """Characters n1 .. nN, checked one by one."""

    def __init__(self, database: Harness) -> None:
        self.database = database

    def see(self, *numbers: int) -> None:
        for number in numbers:
            self._finish(number, Effect("character_seen", [ROW | {"id": number}]))

    def deny(self, *numbers: int) -> None:
        for number in numbers:
            self._finish(number, Effect("character_missing", [{}]))

    def _finish(self, number: int, effect: Effect) -> None:
        job = self.database.claim("characters", f"eu/stormrage/n{number}")
        self.database.finish(job, Done(effects=[effect]))

    def hidden(self) -> int:
        return int(self.database.rows("SELECT count(*) FROM characters WHERE gone_since IS NOT NULL")[0][0])

    def braked_since(self) -> float | None:
        rows = self.database.rows("SELECT braked_since FROM absence WHERE kind = 'characters'")
        return float(rows[0][0]) if rows and rows[0][0] is not None else None


@pytest.fixture
def population(database: Harness) -> Population:
    people = Population(database)
    people.see(*range(120))
    database.now += DAY_S
    people.see(*range(120))
    database.now += HOUR_S
    return people


def test_a_usual_share_of_denials_hides(population: Population) -> None:
    population.see(*range(10, 120))
    population.deny(*range(10))
    assert (population.hidden(), population.braked_since()) == (10, None)


def test_a_sudden_wave_stops_hiding_and_says_since_when(population: Population) -> None:
    population.deny(*range(60))
    assert population.braked_since() == population.database.now
    assert population.hidden() < 25


def test_under_the_brake_nothing_is_purged(population: Population) -> None:
    population.deny(0)
    population.database.now += 3 * DAY_S
    population.see(*range(80, 120))
    population.deny(*range(40, 80))
    population.deny(0)
    assert population.database.row("SELECT display_name FROM characters WHERE name = 'n0'")["display_name"] == "x"


def test_the_brake_is_released_when_the_share_falls(population: Population) -> None:
    population.deny(*range(60))
    population.database.now += 3 * HOUR_S
    population.see(*range(120))
    assert population.braked_since() is None
    population.deny(119)
    assert population.database.show("characters", "eu/stormrage/n119") == []


def test_a_long_outage_does_not_become_the_baseline(population: Population) -> None:
    for _ in range(6):
        population.deny(*range(40, 120))
        population.database.now += HOUR_S
    assert population.braked_since() is not None
    assert population.hidden() < 25


def test_unknown_names_and_hidden_ones_are_no_evidence(population: Population) -> None:
    population.deny(*range(1000, 1100))
    population.deny(*range(5))
    population.database.now += HOUR_S
    population.deny(*range(5))
    assert population.database.rows("SELECT sum(missed) FROM absence_counts") == [(5,)]


def test_a_replay_counts_once(population: Population) -> None:
    population.deny(1, 1, 1)
    population.see(2, 2, 2)
    slot = int(population.database.now // 600)
    assert population.database.rows("SELECT checked, missed FROM absence_counts WHERE slot = ?", slot) == [(2, 1)]
