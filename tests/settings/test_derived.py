import msgspec
import pytest

from supervisor.core.messages.supervisor_database import DatabaseSettings
from supervisor.settings.derived import api_of, api_profile, database_settings
from tests.settings.folder import KEY, MINIMAL, WORKER, Folder


def test_a_replica_learns_of_its_api_what_is_not_secret(folder: Folder) -> None:
    config = folder.load('[apis.blizzard]\nregion = "us"\ntimeout = "5s"\n' + MINIMAL)
    assert api_profile(config, "characters") == {
        "name": "blizzard",
        "base_url": "https://{region}.api.blizzard.com",
        "region": "us",
        "locale": "en_GB",
        "timeout_s": 5.0,
        "is_sighted": False,
    }


@pytest.mark.parametrize(
    ("settings", "is_sighted"),
    [
        ('theta = "auto"', True),
        ('mode = "fixed"', True),
        ('mode = "fixed"\nphase = 0', False),
        ('mode = "bucket"', False),
    ],
)
def test_a_replica_reports_what_it_sees_of_answers_where_the_limiter_learns(
    folder: Folder, settings: str, is_sighted: bool
) -> None:
    config = folder.load(f"[apis.blizzard]\n{settings}\n" + MINIMAL)
    assert api_profile(config, "characters")["is_sighted"] is is_sighted


def test_a_worker_belongs_to_the_api_of_its_keys(folder: Folder) -> None:
    text = '[apis.blizzard]\n[apis.other]\nauth = "none"\n[[keys]]\nname = "o"\napi = "other"\ntags = ["own"]\n'
    other = WORKER.replace("characters]", "guilds]").replace('"osint"', '"own"')
    config = folder.load(text + KEY + 'api = "blizzard"\n' + WORKER + other)
    assert (api_of(config, "characters").name, api_of(config, "guilds").name) == ("blizzard", "other")


def test_the_database_learns_packages_kinds_and_schedules(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", '[characters]\nentity = "word:of"\n')
    folder.write("jobs/mine/statements/a.sql", "-- name: auctions_retention\nSELECT 1;\n")
    more = '[schedules.x]\nworker = "characters"\ncron = "0 4 * * *"\nargs = { of = "all" }\npriority = "urgent"\n'
    settings = database_settings(folder.load(MINIMAL + more + "[freshness.characters]\n"))
    [worker] = settings.workers
    assert (worker.name, worker.kind, worker.package) == (
        "characters",
        "characters",
        str(folder.path / "jobs" / "mine"),
    )
    [schedule] = settings.schedules
    assert (schedule.cron, schedule.every_s, schedule.args, schedule.priority) == ("0 4 * * *", None, {"of": "all"}, 0)
    assert [tier.seen_within_s for tier in settings.freshness[0].tiers] == [604_800.0, None]
    assert set(settings.retention_s) == {"auctions", "jobs_completed", "jobs_discarded"}
    assert settings.default_region == "eu"


def test_a_package_without_a_manifest_has_no_folder(folder: Folder) -> None:
    assert database_settings(folder.load(MINIMAL)).workers[0].package == ""


def test_the_settings_survive_the_wire(folder: Folder) -> None:
    settings = database_settings(folder.load(MINIMAL))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(settings), type=DatabaseSettings) == settings
