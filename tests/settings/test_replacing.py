"""Replacing a file that others may edit at the same moment. The file system is real."""

import os
import stat
from pathlib import Path

import pytest

from supervisor.core.errors import RefusedError
from supervisor.settings.replacing import TRIES, replace


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text("a = 1\n")
    path.chmod(0o640)
    return path


def accept(content: bytes) -> None:
    """Any content will do."""


def to_two(text: str) -> str:
    return text.replace("a = 1", "a = 2")


def test_the_new_text_is_in_place_with_the_old_mode_and_nothing_beside_it(file: Path) -> None:
    before = file.stat()
    assert replace(file, to_two, accept)
    after = file.stat()
    assert file.read_text() == "a = 2\n"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert list(file.parent.iterdir()) == [file]


def test_the_same_text_is_not_written(file: Path) -> None:
    before = file.stat()
    assert not replace(file, lambda text: text, accept)
    assert file.stat() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 12345, 54321)
    assert replace(file, to_two, accept)
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)


def test_a_link_stays_a_link_and_its_target_is_edited(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    folder.mkdir()
    link = folder / "config.toml"
    link.symlink_to(file)
    assert replace(link, to_two, accept)
    assert link.is_symlink()
    assert file.read_text() == "a = 2\n"


def test_a_newer_edit_is_taken_in_and_never_overwritten(file: Path) -> None:
    seen: list[bytes] = []

    def edited_meanwhile(content: bytes) -> None:
        if not seen:
            file.write_text("a = 1\nb = 1 # a person's\n")
        seen.append(content)

    assert replace(file, to_two, edited_meanwhile)
    assert file.read_text() == "a = 2\nb = 1 # a person's\n"
    assert len(seen) == 2


def test_a_link_that_is_turned_meanwhile_is_read_again(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("a = 1 # other\n")
    link = tmp_path / "link.toml"
    link.symlink_to(file)

    def turned(content: bytes) -> None:
        link.unlink()
        link.symlink_to(other)

    assert replace(link, to_two, turned)
    assert (file.read_text(), other.read_text()) == ("a = 1\n", "a = 2 # other\n")


def test_a_file_that_never_rests_is_left_alone(file: Path) -> None:
    seen: list[bytes] = []

    def edited_meanwhile(content: bytes) -> None:
        seen.append(content)
        file.write_text(f"a = 1\nb = {len(seen)}\n")

    with pytest.raises(RefusedError, match="try again"):
        replace(file, to_two, edited_meanwhile)
    assert file.read_text() == f"a = 1\nb = {TRIES}\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_refused_text_changes_nothing(file: Path) -> None:
    def refuse(content: bytes) -> None:
        raise RefusedError("no")

    with pytest.raises(RefusedError, match="no"):
        replace(file, to_two, refuse)
    assert file.read_text() == "a = 1\n"


def test_a_file_that_nobody_may_write_is_refused_with_what_to_do(file: Path) -> None:
    file.chmod(stat.S_IRUSR)
    with pytest.raises(RefusedError, match=r"read-only.*ReadWritePaths=.*overrides"):
        replace(file, to_two, accept)
    assert file.read_text() == "a = 1\n"


def test_a_folder_that_takes_no_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / ("a" * 250)  # room for this name, but for none that is longer
    file.write_text("a = 1\n")
    with pytest.raises(RefusedError, match=r"cannot be replaced: File name too long. Nothing was changed.*overrides"):
        replace(file, to_two, accept)
    assert file.read_text() == "a = 1\n"


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="not there any more"):
        replace(tmp_path / "gone.toml", to_two, accept)
