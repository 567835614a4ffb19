from pathlib import Path

import pytest

from tests.settings.folder import MINIMAL, WORKER, Folder


def test_the_guides_variables_override_the_file_and_are_shown_as_pinned(folder: Folder) -> None:
    text = MINIMAL + "concurrency = 9\n[tags.osint]\nreplicas = 9\n"
    environment = {"CHARACTERS_WORKER_CONCURRENCY": "3", "OSINT_REPLICAS": "8"}
    config = folder.load(text, environment)
    assert config.workers["characters"].concurrency == 3
    assert config.workers["characters"].replicas == 8
    assert config.pinned == {
        "workers.characters.concurrency": "CHARACTERS_WORKER_CONCURRENCY",
        "workers.characters.replicas": "OSINT_REPLICAS",
        "tags.osint.replicas": "OSINT_REPLICAS",
    }


def test_a_workers_own_replicas_stand_above_its_tags_variable(folder: Folder) -> None:
    config = folder.load(MINIMAL + "replicas = 1\n", {"OSINT_REPLICAS": "8"})
    assert config.workers["characters"].replicas == 1
    assert "workers.characters.replicas" not in config.pinned


def test_names_with_hyphens_are_spelt_with_underscores(folder: Folder) -> None:
    text = MINIMAL.replace('"osint"', '"my-tag"').replace("characters]", "char-eu]")
    config = folder.load(text, {"MY_TAG_REPLICAS": "2", "CHAR_EU_WORKER_CONCURRENCY": "4"})
    assert (config.workers["char-eu"].replicas, config.workers["char-eu"].concurrency) == (2, 4)


@pytest.mark.parametrize("value", ["many", "-1", "65", "2.5", "1\nx = 2", "[[["])
def test_a_problem_of_a_variable_names_the_variable(folder: Folder, value: str) -> None:
    [problem] = folder.problems(MINIMAL, {"OSINT_REPLICAS": value})
    assert problem.startswith("OSINT_REPLICAS: tags.osint.replicas: expected an integer from 0 to 64, got ")


def test_an_empty_variable_is_none(folder: Folder) -> None:
    config = folder.load(MINIMAL, {"OSINT_REPLICAS": " ", "CHARACTERS_WORKER_CONCURRENCY": "", "STATE_DIRECTORY": ""})
    assert config.pinned == {}


def test_a_variable_of_no_worker_is_a_warning_with_the_nearest(folder: Folder) -> None:
    config = folder.load(MINIMAL, {"CHARACTER_WORKER_CONCURRENCY": "3"})
    assert config.warnings == (
        "CHARACTER_WORKER_CONCURRENCY: no such worker, so it has no effect "
        '(did you mean "CHARACTERS_WORKER_CONCURRENCY"?)',
    )


def test_systemds_folders_stand_above_the_file(folder: Folder) -> None:
    environment = {"STATE_DIRECTORY": "/var/lib/gatherer:/var/lib/other", "RUNTIME_DIRECTORY": "/run/gatherer"}
    config = folder.load('state_dir = "x"\n' + MINIMAL, environment)
    assert (config.state_dir, config.run_dir) == (Path("/var/lib/gatherer"), Path("/run/gatherer"))
    assert config.pinned["state_dir"] == "STATE_DIRECTORY"
    assert folder.problems(MINIMAL, {"STATE_DIRECTORY": "here"})[0].startswith("STATE_DIRECTORY: state_dir: ")


def test_the_command_line_stands_above_everything(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path / "jobs")
    config = folder.load(
        MINIMAL,
        {"CHARACTERS_WORKER_CONCURRENCY": "3", "STATE_DIRECTORY": "/var/lib/gatherer"},
        workers__characters__concurrency="4",
        server__listen="127.0.0.1:9000",
        state_dir="state",
    )
    assert config.workers["characters"].concurrency == 4
    assert config.server.listen == "127.0.0.1:9000"
    assert config.state_dir == folder.path / "jobs" / "state"
    assert config.pinned["workers.characters.concurrency"] == "command line"


def test_a_problem_of_the_command_line_says_so(folder: Folder) -> None:
    assert folder.problems(MINIMAL, sever__listen="x") == ['command line: sever: unknown name (did you mean "server"?)']
    [problem] = folder.problems(MINIMAL, server__listen="x")
    assert problem.startswith("command line: server.listen: ")
    [problem] = folder.problems("state_dir = 'x'\n" + MINIMAL, state_dir__x="1")
    assert problem == "command line: state_dir.x: a part of this name is no table"


def test_variables_do_not_hide_that_the_file_is_wrong(folder: Folder) -> None:
    problems = folder.problems("workers = 3\n", {"OSINT_REPLICAS": "3", "CHARACTERS_WORKER_CONCURRENCY": "2"})
    assert any(problem.startswith("config.toml:1: workers: expected a table") for problem in problems)


def test_other_programs_variables_are_left_alone(folder: Folder) -> None:
    config = folder.load(MINIMAL + WORKER.replace("characters]", "guilds]"), {"POSTGRES_REPLICAS": "x"})
    assert config.warnings == ()
