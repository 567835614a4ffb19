import msgspec
import pytest

from supervisor.settings.config import AUTO
from tests.settings.folder import KEY, MINIMAL, WORKER, Folder


def test_all_problems_come_in_one_report_in_the_order_of_lines(folder: Folder) -> None:
    text = """\
stat_dir = "x"
[server]
listen = "0.0.0.0:8000"
edits = "files"
[apis.blizzard]
use = 1.5
windows = [
  { requests = 0, per = "1s" },
  { requests = 10, per = "-1s", burst = 2 },
]
[[keys]]
name = "osint-1"
tags = "osint"
client_id = 5
client_secret_file = "missing.secret"
[workers.characters]
job = "mine.charakters"
path = "jobs"
tag = "osint"
concurrency = 1000
replicas = -1
weigth = 4
[schedules.auctions]
worker = "caracters"
[freshness.character]
tiers = []
"""
    problems = folder.problems(text)
    assert [problem.split(": ", 2)[:2] for problem in problems] == [
        ["config.toml:1", "stat_dir"],
        ["config.toml:3", "server.listen"],
        ["config.toml:4", "server.edits"],
        ["config.toml:6", "apis.blizzard.use"],
        ["config.toml:8", "apis.blizzard.windows[1].requests"],
        ["config.toml:9", "apis.blizzard.windows[2].burst"],
        ["config.toml:9", "apis.blizzard.windows[2].per"],
        ["config.toml:13", "keys.osint-1.tags"],
        ["config.toml:14", "keys.osint-1.client_id"],
        ["config.toml:15", "keys.osint-1.client_secret_file"],
        ["config.toml:17", "workers.characters.job"],
        ["config.toml:19", "workers.characters.tag"],
        ["config.toml:20", "workers.characters.concurrency"],
        ["config.toml:21", "workers.characters.replicas"],
        ["config.toml:22", "workers.characters.weigth"],
        ["config.toml:23", "schedules.auctions"],
        ["config.toml:24", "schedules.auctions.worker"],
        ["config.toml:25", "freshness.character"],
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("replicas = -1", "workers.characters.replicas: expected an integer from 0 to 64, got -1"),
        ("replicas = true", "workers.characters.replicas: expected an integer from 0 to 64, got true"),
        ("replicas = 2.0", "workers.characters.replicas: expected an integer from 0 to 64, got 2.0"),
        ("concurrency = 257", 'workers.characters.concurrency: expected an integer from 0 to 256 or "auto", got 257'),
        ('concurrency = "a"', 'workers.characters.concurrency: expected an integer from 0 to 256 or "auto", got "a"'),
        ("weight = 0", "workers.characters.weight: expected a number above 0, got 0"),
        ("weight = nan", "workers.characters.weight: expected a number above 0, got nan"),
        ("target_per_s = inf", "workers.characters.target_per_s: expected a number above 0, got inf"),
        ("paused = 1", "workers.characters.paused: expected true or false, got 1"),
        ("grace = 0", 'workers.characters.grace: expected a duration above 0, such as 30, "10m" or "24h", got 0'),
        (
            'max_pss = "1MB"',
            "workers.characters.max_pss: expected at least 32MB, twice what a new replica takes",
        ),
        ('grace = "2h"', "workers.characters.grace: expected at most 1h: a drain waits that long"),
        ("max_attempts = 0", "workers.characters.max_attempts: expected an integer from 1 to 1000, got 0"),
        ("weigth = 2", 'workers.characters.weigth: unknown name (did you mean "weight"?)'),
        ("timeout_s = 2", "workers.characters.timeout_s: unknown name"),
        ("environment = { A = 1 }", 'expected a table of texts, such as { TZ = "UTC" }, got a table'),
        ("autoscale = { min = 5, max = 2 }", "workers.characters.autoscale.min: 5 is above max 2"),
    ],
)
def test_a_wrong_setting_of_a_worker_is_named(folder: Folder, line: str, expected: str) -> None:
    problems = folder.problems(MINIMAL + line)
    assert problems[0].startswith(f"config.toml:{MINIMAL.count(chr(10)) + 1}: ")
    assert expected in problems[0]


def test_concurrency_must_lie_within_the_bounds_of_autoscale(folder: Folder) -> None:
    problems = folder.problems(MINIMAL + "concurrency = 20\nautoscale = { max = 10 }")
    assert problems == ["config.toml:12: workers.characters.concurrency: 20 is outside autoscale's min 1 .. max 10"]


def test_auto_concurrency_starts_at_min_with_a_pace_of_its_own(folder: Folder) -> None:
    worker = folder.load(MINIMAL + 'concurrency = "auto"\nautoscale = { min = 3 }').workers["characters"]
    assert worker.concurrency == 3
    assert worker.autoscale == msgspec.structs.replace(AUTO, min=3)


def test_auto_concurrency_needs_no_table(folder: Folder) -> None:
    assert folder.load(MINIMAL + 'concurrency = "auto"').workers["characters"].autoscale == AUTO


@pytest.mark.parametrize(
    ("listen", "is_right"),
    [("127.0.0.1:0", True), ("localhost:8000", True), ("[::1]:8000", True), ("127.9.9.9:1", True)]
    + [("0.0.0.0:8000", False), ("gatherer.example:8000", False), ("[::]:80", False), ("8000", False)]
    + [("127.0.0.1:65536", False), ("::1:80", False), ("[zz]:80", False), (":80", False)],
)
def test_listening_needs_an_address_and_outside_a_token(folder: Folder, listen: str, is_right: bool) -> None:
    text = f'[server]\nlisten = "{listen}"\n' + MINIMAL
    if is_right:
        assert folder.load(text).server.listen == listen
    else:
        assert folder.problems(text)[0].startswith("config.toml:2: server.listen: ")


def test_listening_outside_with_a_token_is_fine(folder: Folder) -> None:
    token = folder.write("admin.token", "hush\n")
    config = folder.load('[server]\nlisten = "0.0.0.0:8000"\ntoken_file = "admin.token"\n' + MINIMAL)
    assert config.server.token_file == str(token)


@pytest.mark.parametrize(
    "setting",
    ['auth = "oauth"', 'auth = "header:"', 'region = "EU"', 'locale = "english"', 'base_url = "ftp://x"']
    + ['base_url = "https://user:password@host"', 'base_url = "{simulator}"', 'timeout = "0s"', "windows = []"]
    + ["windows = [1]", "windows = [{ requests = 5 }]", "use = 0", "use = 1.01", 'mode = "loose"', "theta = 0"]
    + ['hour = "fast"', "use = 0.001", 'theta = "fixed"', 'phase = "0s"', 'phase = -1\nmode = "fixed"'],
)
def test_a_wrong_setting_of_an_api_is_found_on_its_line(folder: Folder, setting: str) -> None:
    problems = folder.problems(f"[apis.blizzard]\n{setting}\n" + MINIMAL)
    assert len(problems) == 1
    assert problems[0].startswith(f"config.toml:2: apis.blizzard.{setting.split()[0]}")


@pytest.mark.parametrize(
    "setting",
    ['every = "0s"', 'every = "500ms"', 'cron = "61 * * * *"', 'cron = "* * *"', 'every = "1h"\ncron = "0 * * * *"', ""]
    + ['every = "1h"\ntz = "Mars/Base"', 'every = "1h"\npriority = "high"', 'every = "1h"\nargs = { at = 2024-01-01 }']
    + ['every = "1h"\ncatch_up = "all"', 'every = "1h"\ntz = "../../etc/passwd"'],
)
def test_a_wrong_schedule_is_found(folder: Folder, setting: str) -> None:
    problems = folder.problems(MINIMAL + f'[schedules.x]\nworker = "characters"\n{setting}')
    assert len(problems) == 1
    assert "schedules.x" in problems[0]


@pytest.mark.parametrize(
    "tiers",
    [
        '[{ every = "1d" }, { every = "2d" }]',
        '[{ seen_within = "2d", every = "1h" }, { seen_within = "1d", every = "2h" }]',
    ]
    + ['[{ seen_within = "1d" }]', "5", '[{ every = "1d", evry = 1 }]'],
)
def test_tiers_that_make_no_sense_are_found(folder: Folder, tiers: str) -> None:
    problems = folder.problems(MINIMAL + f"[freshness.characters]\ntiers = {tiers}")
    assert len(problems) == 1
    assert problems[0].startswith("config.toml:13: freshness.characters.tiers")


@pytest.mark.parametrize("name", ["a.b", "ä", "-a", "a b", "", "a/b", "x" * 65, "a\\nb"])
def test_names_are_letters_digits_and_lines(folder: Folder, name: str) -> None:
    problems = folder.problems(KEY + WORKER.replace("characters]", f'"{name}"]'))
    assert "expected a name of letters, digits, - and _" in problems[0]
    assert all("\n" not in problem for problem in problems)


def test_a_value_where_a_table_belongs_is_a_problem(folder: Folder) -> None:
    text = "server = 1\napis = []\nkeys = 5\nworkers = { characters = 3 }\nretention = 'x'\nschedules = 1\n"
    problems = folder.problems(text + "[tags]\nosint = 1\n")
    assert {problem.split(":")[1] for problem in problems} >= {"1", "2", "3", "4", "5", "6", "8"}


def test_long_and_strange_values_are_shown_short(folder: Folder) -> None:
    [problem] = folder.problems(MINIMAL + 'concurrency = "' + "x" * 5000 + '"')
    assert len(problem) < 300


def test_a_run_folder_that_is_too_long_for_sockets_is_a_problem(folder: Folder) -> None:
    problems = folder.problems(f'run_dir = "/tmp/{"x" * 100}"\n' + MINIMAL)
    assert problems[0].startswith("config.toml:1: run_dir: ")


def test_retention_may_be_for_ever(folder: Folder) -> None:
    config = folder.load(MINIMAL + '[retention]\njobs_completed = "forever"\njobs_discarded = "1d"')
    assert "jobs_completed" not in config.retention_s
    assert config.retention_s["jobs_discarded"] == 86_400.0


def test_a_worker_defaults_to_the_replicas_of_its_tag(folder: Folder) -> None:
    other = WORKER.replace("characters]", "guilds]") + "replicas = 1\n"
    config = folder.load(MINIMAL + other + "[tags.osint]\nreplicas = 5\n")
    assert config.workers["characters"].replicas == 5
    assert config.workers["guilds"].replicas == 1


def test_a_token_file_may_have_many_lines_and_must_be_nobody_elses(folder: Folder) -> None:
    folder.write("tokens", "# ours\nread looker\nadmin changer\n", mode=0o644)
    config = folder.load(MINIMAL + '[server]\ntoken_file = "tokens"\n')
    assert config.server.token_file == str(folder.path / "tokens")
    (warning,) = [folder.short(each) for each in config.warnings]
    assert warning == "config.toml:12: server: every user can read the secret in tokens: chmod 600 tokens"
