"""Where a command looks for the daemon."""

import socket
from pathlib import Path

import pytest

from supervisor.cli.finding import control_socket
from supervisor.core.errors import ConfigurationError, UnavailableError


def listen_in(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "control.sock"))
    server.close()
    return folder / "control.sock"


def config_at(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)
    return folder / "config.toml"


def test_run_dir_stands_beside_the_state_by_default(tmp_path: Path) -> None:
    config = config_at(tmp_path, 'state_dir = "data"\n')
    expected = listen_in(tmp_path / "data" / "run")
    assert control_socket(config, None, {}) == expected


def test_a_relative_run_dir_starts_at_the_file(tmp_path: Path) -> None:
    config = config_at(tmp_path, 'run_dir = "sockets"\n')
    expected = listen_in(tmp_path / "sockets")
    assert control_socket(None, None, {"GATHERER_CONFIG": str(config)}) == expected


def test_the_flag_wins_over_the_variable(tmp_path: Path) -> None:
    other = config_at(tmp_path / "other", "")
    listen_in(tmp_path / "other" / "var" / "run")
    config = config_at(tmp_path / "mine", "")
    mine = listen_in(tmp_path / "mine" / "var" / "run")
    assert control_socket(config, None, {"GATHERER_CONFIG": str(other)}) == mine


def test_run_dir_needs_no_configuration(tmp_path: Path) -> None:
    expected = listen_in(tmp_path)
    assert control_socket(tmp_path / "absent.toml", tmp_path, {}) == expected


def test_the_working_folders_configuration_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_at(tmp_path / "config", "")
    expected = listen_in(tmp_path / "config" / "var" / "run")
    monkeypatch.chdir(tmp_path)
    assert control_socket(None, None, {}).resolve() == expected


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    config = config_at(tmp_path, "state_dir = \n")
    with pytest.raises(ConfigurationError, match=r"config.toml"):
        control_socket(config, None, {})


def test_nothing_found_names_the_places(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=str(tmp_path / "var" / "run" / "control.sock")):
        control_socket(config_at(tmp_path, ""), None, {})
