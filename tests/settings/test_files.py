import os
from pathlib import Path

import pytest

from supervisor.core.errors import ConfigurationError
from supervisor.settings.files import MAX_CONFIG_BYTES
from supervisor.settings.reading import find, load
from tests.settings.folder import KEY, MINIMAL, Folder


def test_a_minimal_file_loads_with_defaults(folder: Folder) -> None:
    config = folder.load(MINIMAL)
    assert config.workers["characters"].concurrency == 1
    assert config.apis["blizzard"].windows[1].requests == 36_000
    assert config.state_dir == folder.path / "var"
    assert config.run_dir == folder.path / "var" / "run"
    assert config.warnings == ()


def test_a_missing_file_is_a_problem_with_its_name(folder: Folder) -> None:
    assert folder.problems() == ["config.toml: there is no such file"]


def test_a_folder_is_a_problem(folder: Folder) -> None:
    folder.config.mkdir()
    assert folder.problems() == ["config.toml: is a folder, not a file"]


def test_a_pipe_is_a_problem_and_not_a_hang(folder: Folder) -> None:
    os.mkfifo(folder.config)
    assert folder.problems() == ["config.toml: is no regular file"]


def test_a_huge_file_is_not_read(folder: Folder) -> None:
    with folder.config.open("wb") as file:
        file.truncate(100_000_000)
    assert folder.problems() == [f"config.toml: has 100,000,000 bytes, at most {MAX_CONFIG_BYTES:,} are read"]


def test_binary_garbage_is_a_problem_with_its_line(folder: Folder) -> None:
    assert folder.problems(b"a = 1\n\xff\xfe\x00") == ["config.toml:2: is not UTF-8 text"]
    assert folder.problems(bytes(range(1, 128)) * 50)[0].startswith("config.toml:1: is not TOML")


def test_a_byte_order_mark_is_named(folder: Folder) -> None:
    assert folder.problems(b"\xef\xbb\xbf" + MINIMAL.encode()) == [
        "config.toml:1: starts with a byte order mark: save it as plain UTF-8"
    ]


def test_a_syntax_error_has_its_line(folder: Folder) -> None:
    assert folder.problems(MINIMAL + "\nconcurrency 3\n")[0].startswith("config.toml:13: is not TOML: ")


def test_a_syntax_error_at_the_end_has_the_last_line(folder: Folder) -> None:
    assert folder.problems("a = 1\nb = [")[0].startswith("config.toml:2: is not TOML: ")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000, "a = 2024-13-45"])
def test_toml_that_breaks_parsers_is_a_problem(folder: Folder, text: str) -> None:
    assert folder.problems(text)[0].startswith("config.toml:1: is not TOML: ")


def test_an_empty_file_says_what_is_missing(folder: Folder) -> None:
    assert folder.problems("") == [
        "config.toml:1: keys: there is no [[keys]] table, so no worker could send a request",
        "config.toml:1: workers: there is no [workers.NAME] table; to run none for now, set paused = true in each",
    ]


def test_a_file_without_workers_is_a_problem(folder: Folder) -> None:
    assert any("there is no [workers.NAME] table" in problem for problem in folder.problems(KEY))


def test_no_file_at_all_says_where_it_looked() -> None:
    with pytest.raises(ConfigurationError, match="GATHERER_CONFIG"):
        load(None, environment={})


def test_key_files_are_read_by_name_after_the_configuration(folder: Folder) -> None:
    more = '[[keys]]\nname = "{0}"\ntags = ["osint"]\nclient_id = "{0}"\nclient_secret_file = "{0}.secret"\n'
    for name in ("b", "a"):
        folder.write(f"keys.d/{name}.toml", more.format(name))
        folder.write(f"keys.d/{name}.secret", f"secret of {name}\n")
    folder.write("keys.d/.#a.toml", "an editor's own")
    config = folder.load(MINIMAL)
    assert [key.name for key in config.keys] == ["osint-1", "a", "b"]
    assert config.keys[1].secret.reveal() == "secret of a"
    names = [path.name for path in config.sources]
    assert names == ["config.toml", "a.toml", "a.secret", "b.toml", "b.secret"]


def test_problems_of_key_files_name_their_own_lines(folder: Folder) -> None:
    folder.write(
        "keys.d/a.toml", '[[keys]]\nname = "osint-1"\ntags = []\nclient_id = "x"\nclient_secret = "y"\nuse = 2\n'
    )
    folder.write("keys.d/b.toml", "workers = 1\n[[")
    problems = folder.problems(MINIMAL)
    assert 'keys.d/a.toml:2: keys[1].name: there is a key "osint-1" already, at config.toml:2' in problems
    assert "keys.d/a.toml:6: keys[1].use: expected a number above 0 and at most 1, got 2" in problems
    assert problems[-1].startswith("keys.d/b.toml:2: is not TOML")


def test_relative_paths_start_at_the_files_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("config.toml", 'state_dir = "data"\nrun_dir = "../run"\n' + MINIMAL)
    monkeypatch.chdir("/")
    config = folder.load()
    assert config.state_dir == folder.path / "data"
    assert config.run_dir == folder.path / ".." / "run"


def test_the_named_file_wins_and_may_be_missing(tmp_path: Path) -> None:
    assert find({"GATHERER_CONFIG": "/b.toml"}, "/a.toml") == Path("/a.toml")
    assert find({"GATHERER_CONFIG": "/b.toml"}) == Path("/b.toml")


def test_the_folder_config_is_looked_into(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    folder.write("config/config.toml", "")
    assert find({}) == Path("config/config.toml")
