"""The recorded bodies, through the real parser into a real SQLite."""

import json
from typing import Any

import msgspec

from jobs import characters, characters_rows, guilds, profile_rows
from jobs.models.character import Mounts, Pets, Status, Summary
from jobs.models.guild import Guild, Roster
from jobs.models.profile import Professions
from supervisor.worker.sdk import Done, Outcome
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, ScriptedApi, missing, ok
from tests.support.clock import FakeClock
from tests.support.recordings import needs_recordings, recording_bytes

pytestmark = needs_recordings

EU = "eu_stormrage_sheday_2019-12-22.json"
SHEDAY = "/profile/wow/character/stormrage/sheday"
PAGES = {
    SHEDAY + "/status": f"character-status/{EU}",
    SHEDAY: f"character-summary/{EU}",
    SHEDAY + "/collections/pets": f"character-pets/{EU}",
    SHEDAY + "/collections/mounts": f"character-mounts/{EU}",
    SHEDAY + "/character-media": f"character-media/{EU}",
}
PROFESSIONS = "character-professions/eu_stormrage_sheday_2020-06-08.json"
CYRILLIC = "character-summary/eu_howling-fjord_альвеоняша_2019-12-22.json"


async def scan(database: Harness, clock: FakeClock, entity: str, pages: dict[str, str]) -> Outcome:
    script = {path: ok(recording_bytes(name)) for path, name in pages.items()}
    job = database.claim("characters", entity)
    outcome = await characters.run(job, FakeWork(ScriptedApi(script), clock))
    database.finish(job, outcome)
    return outcome


async def test_a_recorded_character_is_stored_whole(database: Harness, clock: FakeClock) -> None:
    outcome = await scan(database, clock, "eu/stormrage/Sheday", PAGES)
    assert isinstance(outcome, Done)
    assert [job.entity for job in outcome.follow_ups] == ["eu/stormrage/avalerion", "eu/stormrage/sheday"]
    (row,) = database.show("characters", "eu/stormrage/sheday")
    assert (row["pets_count"], row["mounts_count"], row["id"], row["level"]) == (1128, 530, 142650023, 120)
    assert (row["race"], row["class"], row["spec"], row["guild_name"]) == (
        "Human",
        "Paladin",
        "Retribution",
        "Avalerion",
    )
    assert row["avatar_url"].endswith("142650023-avatar.jpg")


async def test_a_recorded_cyrillic_character_names_its_guild_in_its_own_letters(
    database: Harness, clock: FakeClock
) -> None:
    base = "/profile/wow/character/howling-fjord/альвеоняша"
    parts = {path.replace(SHEDAY, base): name for path, name in PAGES.items()} | {base: CYRILLIC}
    outcome = await scan(database, clock, "eu/Howling Fjord/Альвеоняша", parts)
    assert [job.entity for job in outcome.follow_ups] == [
        "eu/howling-fjord/экзорсус",
        "eu/howling-fjord/альвеоняша",
    ]


async def test_recorded_rosters_are_whole_and_diff_to_nothing(database: Harness, clock: FakeClock) -> None:
    base, name = "/data/wow/guild/azuremyst/imperium", "eu_azuremyst_imperium_2019-12-20.json"
    script = {
        base: ok(recording_bytes(f"guild-summary/{name}")),
        base + "/roster": ok(recording_bytes(f"guild-roster/{name}")),
    }
    staged = 0
    for max_age_s in (None, 0.0):
        work = FakeWork(ScriptedApi(script), clock)
        job = database.claim("guilds", "eu/azuremyst/imperium", max_age_s=max_age_s)
        outcome = await guilds.run(job, work)
        assert isinstance(outcome, Done)
        database.finish(job, outcome)
        staged += len(work.staged)
    assert staged == 536
    assert database.rows("SELECT count(*), count(DISTINCT member_realm) FROM guild_members") == [(536, 2)]
    assert database.rows("SELECT * FROM events") == []


async def test_the_recorded_404_is_absence(database: Harness, clock: FakeClock) -> None:
    body = recording_bytes(
        "errors/eu_character-summary_404_stormrage_whowouldeverusethisforacharactername_2019-12-22.json"
    )
    assert json.loads(body) == json.loads(missing().body())


def test_names_in_all_locales_parse_as_those_in_one() -> None:
    us = msgspec.json.decode(recording_bytes("character-mounts/us_proudmoore_marko_2024_multilocale.json"), type=Mounts)
    row = characters_rows.part_row(characters_rows.PARTS["mounts"], us, 1.0)
    assert row["count"] == 544
    assert sum(each.is_character_specific for each in us.mounts) == 1
    professions = msgspec.json.decode(recording_bytes(PROFESSIONS))
    single = localized(professions)
    row = profile_rows.part_row(profile_rows.PARTS["professions"], msgspec.convert(single, Professions), "de_DE")
    assert [each["name"] for each in json.loads(row["professions"])][:2] == [
        "Alchemy auf Deutsch",
        "Engineering auf Deutsch",
    ]


def localized(value: Any) -> Any:
    """Return the body as the API sends it without a locale: every name an object."""
    if isinstance(value, list):
        return [localized(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {"en_GB": each, "de_DE": f"{each} auf Deutsch"} if key == "name" else localized(each)
        for key, each in value.items()
    }


def test_recorded_professions_keep_every_tier() -> None:
    body = msgspec.json.decode(recording_bytes(PROFESSIONS), type=Professions)
    row = profile_rows.part_row(profile_rows.PARTS["professions"], body, "en_GB")
    alchemy = json.loads(row["professions"])[0]
    assert (alchemy["name"], alchemy["tiers"][0]) == (
        "Alchemy",
        {"id": 2478, "name": "Kul Tiran Alchemy", "points": 175, "max": 175},
    )


def test_every_cut_of_a_body_is_no_body() -> None:
    models: dict[str, Any] = {
        f"character-status/{EU}": Status,
        f"character-summary/{EU}": Summary,
        CYRILLIC: Summary,
        "guild-summary/eu_azuremyst_imperium_2019-12-20.json": Guild,
        f"character-pets/{EU}": Pets,
        "guild-roster/eu_stormrage_avalerion_2019-12-20.json": Roster,
    }
    for name, model in models.items():
        body = recording_bytes(name)
        msgspec.json.decode(body, type=model)
        for end in range(0, len(body), max(1, len(body) // 20)):
            try:
                msgspec.json.decode(body[:end], type=model)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            raise AssertionError(f"{name} cut at {end} parses")
