"""The power fails while config.toml or overrides.toml is written: the old one is there or the new one, never a part."""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from supervisor.settings.overrides import FILE, Overrides
from supervisor.settings.replacing import replace
from tests.limiter.support import config, key, worker
from tests.support.power.disks import Disk, cuts
from tests.support.power.folder import watched
from tests.support.power.tape import Tape

pytestmark = pytest.mark.slow

CUTS = 200
NOON = 1_764_072_000.0


def losses(tape: Tape, disk: Disk, is_right: Callable[[dict[str, bytes], list[object]], bool]) -> list[int]:
    random = Random(1)
    return [
        moment
        for moment, after in cuts(tape, disk, CUTS, random)
        if not is_right(after.after_cut(random), after.promises)
    ]


def pauses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Tape, Disk]:
    """Pause worker after worker; each is promised when `set_paused` returns."""
    disk = Disk()
    disk.start_with(folder)
    with watched(folder, monkeypatch) as tape:
        overrides = Overrides(folder)
        for n in range(20):
            overrides.set_paused(f"worker{n}", True, NOON)
            tape.promise(f"worker{n}")
    return tape, disk


def keeps_pauses(files: dict[str, bytes], promises: list[object]) -> bool:
    if FILE not in files:
        return not promises
    try:
        return set(tomllib.loads(files[FILE].decode())["paused"]) >= set(promises)
    except (ValueError, KeyError):
        return False


def test_what_a_person_said_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tape, disk = pauses(tmp_path, monkeypatch)
    assert losses(tape, disk, keeps_pauses) == []
    assert len(disk.promises) > 15


def test_check_finds_the_loss_when_nothing_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    tape, disk = pauses(tmp_path, monkeypatch)
    tape.events = [event for event in tape.events if "Synced" not in type(event).__name__]
    assert losses(tape, disk, keeps_pauses)


def test_edited_file_is_the_old_one_or_the_new_one_and_new_once_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("a = 0\n" + "# a comment\n" * 200)
    disk = Disk()
    disk.start_with(tmp_path)
    with watched(tmp_path, monkeypatch) as tape:
        for n in range(20):
            assert replace(path, lambda text, n=n: text.replace(f"a = {n}\n", f"a = {n + 1}\n"), lambda content: None)  # type: ignore[misc]  # mypy cannot type a default in a lambda
            tape.promise(n + 1)

    def is_right(files: dict[str, bytes], promises: list[object]) -> bool:
        text = files["config.toml"].decode()
        newest = promises[-1] if promises else 0
        return text.count("# a comment\n") == 200 and tomllib.loads(text)["a"] in (newest, int(str(newest)) + 1)

    assert losses(tape, disk, is_right) == []


@pytest.mark.parametrize("is_known", [True, False])
def test_word_that_cannot_be_written_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    overrides = Overrides(tmp_path)
    written = config(key("a"), worker("characters"))
    overrides.set_paused("characters", is_known, NOON)
    (tmp_path / "overrides.new").mkdir()  # in the way
    with pytest.raises(Exception, match=r"overrides\.toml: .*; nothing was changed"):
        overrides.set_paused("characters", not is_known, NOON)
    assert overrides.applied_to(written).workers["characters"].paused == is_known
