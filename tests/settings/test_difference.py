"""Change → action: every setting has one, and what it does is said in the file's own words."""

import msgspec
import pytest

from supervisor.settings import difference as module
from supervisor.settings.config import Config, Key, Secret
from supervisor.settings.difference import LIVE, RESIZED, RESTART, ROLLED, SCALED, action_of, difference
from supervisor.settings.reload import Source
from tests.settings.folder import KEY, MINIMAL, WORKER, Folder


def said(folder: Folder, before: str, after: str) -> list[str]:
    return [str(change) for change in difference(folder.load(before), folder.load(after))]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("concurrency = 2", "concurrency = 3", f"workers.characters.concurrency: 2 → 3 ({RESIZED})"),
        ("replicas = 5", "replicas = 8", f"workers.characters.replicas: 5 → 8 ({SCALED})"),
        ("", "paused = true", f"workers.characters.paused: false → true ({RESIZED})"),
        ("", "weight = 4", f"workers.characters.weight: 1 → 4 ({LIVE})"),
        ("", "target_per_s = 50", f"workers.characters.target_per_s: nothing → 50 ({LIVE})"),
        ("", 'grace = "40s"', f"workers.characters.grace: 25 → 40 ({LIVE})"),
        ("", "environment = { A = '1' }", f"workers.characters.environment: nothing → set ({ROLLED})"),
        ('[log]\nlevel = "info"', '[log]\nlevel = "debug"', f"log.level: info → debug ({LIVE})"),
        ("[storage]", '[storage]\nmin_free = "1GB"', f"storage.min_free: 2000000000 → 1000000000 ({LIVE})"),
        ("", '[server]\nlisten = "127.0.0.1:9"', f"server.listen: 127.0.0.1:8000 → 127.0.0.1:9 ({RESTART})"),
        (
            "[apis.blizzard]",
            "[apis.blizzard]\nuse = 0.7",
            f"apis.blizzard.use: 1 → 0.7 ({LIVE})",
        ),
        (
            "[apis.blizzard]",
            '[apis.blizzard]\nwindows = [{ requests = 5, per = "1s" }]',
            "apis.blizzard.windows: requests=100 per_s=1, requests=36000 per_s=3600 → requests=5 per_s=1 (in force)",
        ),
    ],
)
def test_a_changed_setting_is_named_with_what_it_does(folder: Folder, before: str, after: str, expected: str) -> None:
    assert said(folder, MINIMAL + before, MINIMAL + after) == [expected]


def test_auto_is_named_as_it_is_written(folder: Folder) -> None:
    changes = said(folder, MINIMAL + "concurrency = 2", MINIMAL + 'concurrency = "auto"')
    assert changes[0] == f"workers.characters.concurrency: 2 → auto ({RESIZED})"


def test_nothing_changed_is_no_change(folder: Folder) -> None:
    assert said(folder, MINIMAL, "# a comment\n" + MINIMAL) == []


def test_a_table_that_comes_or_goes_is_one_change(folder: Folder) -> None:
    more = MINIMAL + WORKER.replace("characters", "guilds") + '[schedules.s]\nworker = "guilds"\nevery = "1h"\n'
    assert said(folder, MINIMAL, more) == [
        f"workers.guilds: nothing → a table ({LIVE})",
        f"schedules.s: nothing → a table ({LIVE})",
    ]
    assert said(folder, more, MINIMAL)[0] == f"workers.guilds: a table → nothing ({LIVE})"


def test_a_secret_is_compared_and_never_shown(folder: Folder) -> None:
    [line] = said(folder, MINIMAL, MINIMAL.replace("hush", "whisper"))
    assert line == f"keys.osint-1.secret: **** → another one ({LIVE})"


def test_keys_are_told_apart_by_name_not_by_place(folder: Folder) -> None:
    second = KEY.replace("-1", "-2")
    assert said(folder, KEY + second + WORKER, second + KEY + WORKER) == []
    assert said(folder, KEY + second + WORKER, second + WORKER) == [f"keys.osint-1: a table → nothing ({LIVE})"]


@pytest.mark.parametrize(
    ("setting", "action"),
    [
        ("workers.characters.job", ROLLED),
        ("workers.characters.path", ROLLED),
        ("state_dir", RESTART),
        ("run_dir", RESTART),
        ("schedules.auctions.every", LIVE),
        ("freshness.characters.tiers", LIVE),
        ("retention.auctions", LIVE),
        ("keys.osint-1.use", LIVE),
    ],
)
def test_every_kind_of_setting_has_its_action(setting: str, action: str) -> None:
    assert action_of(setting) == action


def test_no_field_of_the_configuration_is_forgotten(folder: Folder) -> None:
    """A new field appears here by itself, unless it is named as no setting."""
    config = folder.load(MINIMAL)
    found = {setting.split(".")[0] for setting, _ in module._settings(config)}
    fields = {field for field in Config.__struct_fields__ if field not in module.NOT_SETTINGS}
    names = {module.FIELDS.get(field, field).split(".")[0] for field in fields}
    assert names - found == {"schedules", "freshness"}  # empty in this one
    key = Key(name="k", api="a", tags=("t",), client_id="c", secret=Secret("s"))
    assert {setting for setting, _ in module._entry("k", key)} >= {"k.regions", "k.use", "k.client_id", "k.secret"}


def test_what_needs_a_restart_waits_and_the_rest_does_not(folder: Folder) -> None:
    running = folder.load(MINIMAL + '[server]\nlisten = "127.0.0.1:1"\n')
    written = folder.load('state_dir = "elsewhere"\n' + MINIMAL + 'weight = 3\n[server]\nlisten = "127.0.0.1:2"\n')
    in_force = module.without_restart(running, written)
    assert (in_force.server.listen, in_force.state_dir) == ("127.0.0.1:1", running.state_dir)
    assert in_force.workers["characters"].weight == 3.0
    sentences = module.needs_restart(running, written)
    assert "server.listen is 127.0.0.1:1 until a restart, then 127.0.0.1:2" in sentences
    assert len(sentences) == 3  # and both folders
    assert module.needs_restart(running, msgspec.structs.replace(written, server=running.server)) == sentences[:2]


def test_a_reread_file_differs_in_what_was_edited(folder: Folder) -> None:
    folder.write("config.toml", MINIMAL)
    source = Source(folder.config, {}, {})
    before = source.read()
    folder.write("config.toml", MINIMAL + "concurrency = 9\n")
    [change] = difference(before, source.reread(before, insist=False))
    assert (change.setting, change.before, change.after) == ("workers.characters.concurrency", "1", "9")
