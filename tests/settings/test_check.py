import math

import pytest

from supervisor.settings import capacity
from tests.settings.folder import KEY, MINIMAL, WORKER, Folder

MANIFEST = '[characters]\nentity = "region/realm/name"\nrequests = 5\n'


def test_several_keys_for_one_region_are_told_the_terms(folder: Folder) -> None:
    [warning] = folder.warnings("[apis.blizzard]\n" + MINIMAL + KEY.replace("-1", "-2"))
    assert warning.startswith("config.toml:1: apis.blizzard: 2 keys serve region eu: Blizzard's terms allow one")


def test_one_key_for_each_region_is_what_the_terms_allow(folder: Folder) -> None:
    other = KEY.replace("-1", "-2") + 'regions = ["us"]\n'
    assert folder.warnings(other + MINIMAL) == []


def test_the_terms_are_blizzards_and_nobody_elses(folder: Folder) -> None:
    api = '[apis.blizzard]\nbase_url = "http://127.0.0.1:1"\ntoken_url = "http://127.0.0.1:1/token"\n'
    assert folder.warnings(api + MINIMAL + KEY.replace("-1", "-2")) == []


def test_targets_above_what_the_hour_sustains_are_told(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST)
    [warning] = folder.warnings(MINIMAL + "target_per_s = 50\n")
    assert warning == (
        "config.toml:12: workers.characters.target_per_s: the targets of characters need 250 requests/s; "
        'tag "osint" sustains 10/s (keys: 1; a burst of 100/s lasts 6 min)'
    )
    assert folder.warnings(MINIMAL + "target_per_s = 2\n") == []


def test_targets_of_tags_that_share_a_key_are_added_up(folder: Folder) -> None:
    other = WORKER.replace("characters]", "guilds]").replace('"osint"', '"dma"') + "target_per_s = 6\n"
    text = KEY.replace('["osint"]', '["osint", "dma"]') + WORKER + "target_per_s = 6\n"
    [warning] = folder.warnings(text + other)
    assert "the targets of characters, guilds need 12 requests/s; all keys together sustains 10/s" in warning


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ('region = "uk"', "apis.blizzard.region: Blizzard knows us, eu, kr, tw, cn"),
        ('token_url = "http://oauth.example/token"', "apis.blizzard.token_url: without https"),
        ('mode = "bucket"', 'apis.blizzard.mode: "bucket" fits an API that documents it'),
    ],
)
def test_settings_of_an_api_that_are_risky_are_told(folder: Folder, setting: str, expected: str) -> None:
    [warning] = folder.warnings(f"[apis.blizzard]\n{setting}\n" + MINIMAL)
    assert warning.startswith(f"config.toml:2: {expected}")


def test_placeholders_are_told(folder: Folder) -> None:
    [warning] = folder.warnings(MINIMAL.replace("account-1", "replace-me"))
    assert "keys.osint-1: is still the example's" in warning


def test_refreshing_more_seldom_than_the_terms_ask_is_told(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST)
    folder.write("jobs/mine/statements/a.sql", "-- name: characters_stale\nSELECT 1;\n")
    [warning] = folder.warnings(MINIMAL + '[freshness.characters]\ntiers = [{ every = "60d" }]\n')
    assert "at most 30 days" in warning


def test_a_folder_that_everybody_may_write_to_is_told(folder: Folder) -> None:
    folder.path.chmod(0o777)
    [warning] = folder.warnings(MINIMAL)
    assert "every user can replace files" in warning


def test_blizzards_key_bursts_for_six_minutes_and_sustains_ten(folder: Folder) -> None:
    config = folder.load(MINIMAL)
    assert capacity.of_worker(config, config.workers["characters"]) == capacity.Capacity(
        sustained_per_s=10.0, burst_per_s=100.0, burst_s=360.0
    )


def test_the_use_of_a_key_scales_every_window(folder: Folder) -> None:
    config = folder.load(KEY + "use = 0.7\n" + WORKER)
    found = capacity.of_key(config, config.keys[0])
    assert (found.burst_per_s, found.sustained_per_s) == (70.0, 7.0)


def test_a_single_window_never_ends_its_burst(folder: Folder) -> None:
    config = folder.load('[apis.blizzard]\nwindows = [{ requests = 5, per = "1s" }]\n' + MINIMAL)
    assert capacity.of_key(config, config.keys[0]) == capacity.Capacity(
        sustained_per_s=5.0, burst_per_s=5.0, burst_s=math.inf
    )


def test_no_keys_have_no_capacity(folder: Folder) -> None:
    assert capacity.of_keys(folder.load(MINIMAL), ()) == capacity.Capacity()
