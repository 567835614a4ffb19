"""The shipped files load, and config.toml tells the truth about every setting.

Its conventions (written at its head): "#name = value" is a setting at its default, "#:" an example without
default, "(default VALUE)" stands beside an active setting that is not at its default.
"""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.core.errors import ConfigurationError
from supervisor.settings.config import Autoscale, Config
from supervisor.settings.cost import nominal
from supervisor.settings.files import Files
from supervisor.settings.plan import plan
from supervisor.settings.reading import load
from supervisor.settings.report import Report
from supervisor.settings.shipped import FOLDER, shipped
from tests.settings.folder import Folder

EXAMPLE = shipped("config.toml")
SECRETS = {f"{tag}_{number}_SECRET": "hush" for tag in ("OSINT", "DMA") for number in range(1, 6)}
COMMENTED = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)
ANNOTATED = re.compile(r"^([a-z_]+) = .*# \(default (.*)\)$", re.MULTILINE)
GUIDE = {
    "development.toml": {"characters": 2, "guilds": 2, "profile": 1, "auctions": 2, "items": 5, "osint": 5, "dma": 2},
    "production.toml": {"characters": 3, "guilds": 2, "profile": 1, "auctions": 3, "items": 7, "osint": 8, "dma": 3},
}


def content(config: Config) -> Config:
    return msgspec.structs.replace(config, sha256="", warnings=())


def demo() -> str:
    text = shipped("demo.toml").replace("{simulator}", "http://127.0.0.1:9")
    return text.replace("{token_url}", "http://127.0.0.1:9/oauth/token")


def test_the_example_loads_and_warns_of_its_placeholders(folder: Folder) -> None:
    [warning] = folder.warnings(EXAMPLE)
    assert "is still the example's" in warning


def test_commented_settings_show_their_defaults(folder: Folder) -> None:
    bare = folder.load(EXAMPLE)
    full = folder.load(COMMENTED.sub("", EXAMPLE))
    assert len(COMMENTED.findall(EXAMPLE)) > 35
    # The one default that depends on another setting: a key's own `use` is its API's.
    assert full.keys[0].use == full.apis["blizzard"].use
    keys = tuple(msgspec.structs.replace(key, use=None) for key in full.keys)
    assert content(msgspec.structs.replace(full, keys=keys)) == content(bare)


def test_defaults_noted_beside_settings_are_the_real_ones(folder: Folder) -> None:
    assert len(ANNOTATED.findall(EXAMPLE)) > 5
    noted = folder.load(ANNOTATED.sub(r"\1 = \2", EXAMPLE))
    without = folder.load(ANNOTATED.sub("", EXAMPLE))
    assert content(noted) == content(without)


def test_the_example_of_autoscale_shows_its_defaults(folder: Folder) -> None:
    start = EXAMPLE.index("#: [workers.characters.autoscale]")
    block = "\n".join(line[3:] for line in EXAMPLE[start:].split("\n\n")[0].splitlines() if line.startswith("#: "))
    config = folder.load(EXAMPLE + "\n" + block)
    assert config.workers["characters"].autoscale == Autoscale()


def test_every_example_is_toml() -> None:
    lines = [line[3:] for line in EXAMPLE.splitlines() if line.startswith("#: ")]
    for line in lines:
        tomllib.loads(line)
    assert len(lines) > 15


def test_every_setting_that_the_code_reads_is_documented(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Report] = []
    remember = Files.__init__

    def listen(files: Files, report: Report) -> None:
        reports.append(report)
        remember(files, report)

    monkeypatch.setattr(Files, "__init__", listen)
    autoscale = "[workers.characters.autoscale]\n"
    folder.load(EXAMPLE + autoscale)
    names = {label.rpartition(".")[2] for label in reports[0].known}
    names -= set(tomllib.loads(EXAMPLE)["workers"])  # names that the user chooses
    written = set(re.findall(r"^(?:#:? ?)?([a-z_]+) = ", EXAMPLE, re.MULTILINE))
    written |= set(re.findall(r"^(?:#:? ?)?\[{1,2}(\w+)", EXAMPLE, re.MULTILINE)) | {"autoscale"}
    written |= set(re.findall(r"\b(secret_file|secret_env|secret)\b", EXAMPLE))
    inside = set(re.findall(r"[{,] (\w+) =", EXAMPLE))
    assert names - written - inside == set()


@pytest.mark.parametrize("name", list(GUIDE))
def test_the_guides_environments_have_the_guides_sizes(folder: Folder, name: str) -> None:
    config = folder.load(shipped(name), SECRETS)
    for worker in config.workers.values():
        if worker.name != "index":
            assert worker.concurrency == GUIDE[name][worker.name]
            assert worker.replicas == GUIDE[name][worker.tag]
    assert [key.tags for key in config.keys] == [("osint",)] * 5 + [("dma",)]
    assert len([warning for warning in config.warnings if "sustains" in warning]) == 2


def test_the_guides_environments_say_which_secrets_are_missing(folder: Folder) -> None:
    problems = folder.problems(shipped("production.toml"))
    assert len(problems) == 6
    assert all("_SECRET is not set" in problem for problem in problems)


def test_what_limits_the_demo_is_its_keys(folder: Folder) -> None:
    config = folder.load(demo())
    costs = {worker.name: nominal(config, worker) for worker in config.workers.values()}
    limits = {worker.name: worker.limited_by for worker in plan(config, costs).workers}
    assert {limits["characters"], limits["profile"], limits["items"]} == {"keys"}


def test_the_demo_stays_in_its_folder(folder: Folder) -> None:
    config = folder.load(demo())
    assert config.apis["blizzard"].hour == "burst"
    assert (config.state_dir, config.run_dir) == (folder.path / "state", folder.path / "run")
    assert {schedule.args["of"] for schedule in config.schedules.values()} == {"realms", "seeds", "auctions", "items"}
    assert len({key.client_id for key in config.keys}) == 6


def test_no_shipped_file_is_forgotten_here() -> None:
    assert {path.name for path in FOLDER.glob("*.toml")} == {"config.toml", "demo.toml", *GUIDE}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(end=st.integers(0, len(EXAMPLE.encode())))
def test_every_truncation_of_the_example_loads_or_names_a_line(tmp_path: Path, end: int) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(EXAMPLE.encode()[:end])
    try:
        load(path, environment={})
    except ConfigurationError as error:
        assert error.problems
        assert all(re.match(rf"{re.escape(str(path))}:\d+: \S", problem) for problem in error.problems)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(at=st.integers(0, len(EXAMPLE)), text=st.text(max_size=8), length=st.integers(0, 40))
def test_every_slip_of_the_keyboard_loads_or_names_a_line(tmp_path: Path, at: int, text: str, length: int) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes((EXAMPLE[:at] + text + EXAMPLE[at + length :]).encode(errors="surrogatepass"))
    try:
        load(path, environment={})
    except ConfigurationError as error:
        assert all(re.match(rf"{re.escape(str(path))}:\d+: \S", problem) for problem in error.problems)
