"""The folders of a supervisor are ours alone, or it does not start."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from supervisor.core.errors import ConfigurationError
from supervisor.settings.config import Config
from supervisor.settings.folders import hold
from tests.settings.folder import MINIMAL, Folder

SOMEBODY = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o002)
    yield
    os.umask(before)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return msgspec.structs.replace(
        Folder(tmp_path / "config").load(MINIMAL), state_dir=tmp_path / "a" / "state", run_dir=tmp_path / "b" / "run"
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_made_for_us_alone_whatever_the_umask(config: Config) -> None:
    with hold(config):
        assert (mode(config.state_dir), mode(config.run_dir)) == (0o700, 0o700)
        assert mode(config.state_dir / "supervisor.lock") == 0o600
        (config.state_dir / "new").touch()
        assert mode(config.state_dir / "new") == 0o600


def test_folders_that_others_could_read_are_closed(config: Config) -> None:
    config.state_dir.mkdir(parents=True, mode=0o755)
    config.run_dir.mkdir(parents=True, mode=0o755)
    config.state_dir.parent.chmod(0o755)
    config.run_dir.parent.chmod(0o755)
    with hold(config):
        assert (mode(config.state_dir), mode(config.run_dir)) == (0o750, 0o700)


@pytest.mark.parametrize("bits", [0o777, 0o1777])
def test_a_folder_that_everybody_may_write_to_is_refused_and_left_as_it_is(config: Config, bits: int) -> None:
    config.run_dir.mkdir(parents=True)
    config.run_dir.parent.chmod(0o755)
    config.run_dir.chmod(bits)
    config.state_dir.mkdir(parents=True, mode=0o700)
    config.state_dir.parent.chmod(0o755)
    with pytest.raises(ConfigurationError, match="every user can write to .*run"):
        hold(config)
    assert mode(config.run_dir) == bits


def test_a_folder_that_everybody_may_replace_is_refused(config: Config) -> None:
    config.state_dir.mkdir(parents=True, mode=0o700)
    config.state_dir.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match="can replace"):
        hold(config)


@needs_root
def test_a_link_that_somebody_else_made_is_refused(config: Config, tmp_path: Path) -> None:
    config.state_dir.mkdir(parents=True, mode=0o700)
    (tmp_path / "elsewhere").mkdir()
    config.run_dir.parent.mkdir(mode=0o755)
    config.run_dir.symlink_to(tmp_path / "elsewhere")
    os.chown(config.run_dir, SOMEBODY, SOMEBODY, follow_symlinks=False)
    with pytest.raises(ConfigurationError, match=f"is a link that user {SOMEBODY} made"):
        hold(config)


@needs_root
def test_a_folder_of_somebody_else_is_refused(config: Config) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        os.chown(folder, SOMEBODY, SOMEBODY)
        os.seteuid(SOMEBODY + 1)
        try:
            with pytest.raises(ConfigurationError, match=f"belongs to user {SOMEBODY}"):
                hold(msgspec.structs.replace(config, state_dir=folder, run_dir=folder))
        finally:
            os.seteuid(0)


def test_a_link_of_our_own_is_followed(config: Config, tmp_path: Path) -> None:
    config.run_dir.parent.mkdir(mode=0o755)
    (tmp_path / "real").mkdir(mode=0o700)
    config.run_dir.symlink_to(tmp_path / "real")
    config.state_dir.mkdir(parents=True, mode=0o700)
    config.state_dir.parent.chmod(0o755)
    with hold(config):
        assert mode(tmp_path / "real") == 0o700
