"""When a change counts: a half-written file is waited for, and nothing is seen twice or missed."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from supervisor.settings.watch import PATIENCE_S, SETTLE_S, UNSURE_SETTLE_S, Watcher, digest, folders_of
from supervisor.settings.writing import Writing, writing
from tests.support.clock import FakeClock
from tests.support.waiting import eventually


class Seen:
    """A watcher driven by hand: `look` begins a look, the clock ends it. writing: what the kernel would say."""

    def __init__(self, file: Path, clock: FakeClock, *texts: str) -> None:
        self.file = file
        self.clock = clock
        self.texts: list[str] = []
        self.writing = Writing.NO
        self.watcher = Watcher(
            sources=lambda: [file], changed=self.changed, clock=clock, is_written=lambda files: self.writing
        )

    async def changed(self) -> None:
        self.texts.append(self.file.read_text())

    async def look(self) -> "asyncio.Task[bool]":
        task = asyncio.create_task(self.watcher.run_once())
        await self.asleep(task)
        return task

    async def asleep(self, task: "asyncio.Task[bool]") -> None:
        await eventually(lambda: self.clock.sleepers or task.done())

    async def pass_by(self, seconds: float, task: "asyncio.Task[bool]") -> None:
        """Let time go by in steps of a look, each seen by the watcher."""
        for _ in range(round(seconds / SETTLE_S)):
            await self.asleep(task)
            await self.clock.advance(SETTLE_S)
        await eventually(lambda: self.clock.sleepers or task.done())


def write(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text("zero")
    return file


@pytest.fixture
async def seen(file: Path, clock: FakeClock) -> Seen:
    seen = Seen(file, clock)
    await seen.pass_by(SETTLE_S, await seen.look())
    seen.texts.clear()
    return seen


async def test_a_closed_file_counts_after_a_moment(seen: Seen, file: Path) -> None:
    write(file, "one")
    look = await seen.look()
    await seen.pass_by(SETTLE_S, look)
    assert await look
    assert seen.texts == ["one"]


async def test_touch_is_no_change(seen: Seen, file: Path) -> None:
    os.utime(file)
    assert not await seen.watcher.run_once()
    assert seen.texts == []


async def test_a_change_that_is_taken_back_is_no_change(seen: Seen, file: Path) -> None:
    write(file, "one")
    look = await seen.look()
    write(file, "zero")
    await seen.pass_by(2 * SETTLE_S, look)
    assert not await look
    assert seen.texts == []


async def test_half_written_file_is_waited_for_while_its_writer_pauses(seen: Seen, file: Path) -> None:
    seen.writing = Writing.YES
    write(file, "ha")
    look = await seen.look()
    await seen.pass_by(PATIENCE_S / 2, look)
    assert seen.texts == []
    write(file, "half")
    seen.writing = Writing.NO
    await seen.pass_by(2 * SETTLE_S, look)
    assert await look
    assert seen.texts == ["half"]


@pytest.mark.slow
async def test_who_keeps_a_file_open_for_ever_is_not_waited_for(seen: Seen, file: Path) -> None:
    seen.writing = Writing.YES
    write(file, "one")
    look = await seen.look()
    await seen.pass_by(PATIENCE_S, look)
    assert await look
    assert seen.texts == ["one"]


async def test_slow_writer_is_waited_for_where_the_kernel_does_not_tell(seen: Seen, file: Path) -> None:
    seen.writing = Writing.UNKNOWN
    write(file, "ha")
    look = await seen.look()
    await seen.pass_by(UNSURE_SETTLE_S - SETTLE_S, look)
    write(file, "half")
    await seen.pass_by(UNSURE_SETTLE_S, look)
    assert seen.texts == []
    await seen.pass_by(SETTLE_S, look)
    assert await look
    assert seen.texts == ["half"]


async def test_two_edits_in_a_row_are_one_change_or_two_but_the_last_one_counts(seen: Seen, file: Path) -> None:
    write(file, "one")
    look = await seen.look()
    write(file, "two")
    await seen.pass_by(2 * SETTLE_S, look)
    assert seen.texts == ["two"]
    write(file, "three")
    look = await seen.look()
    await seen.pass_by(SETTLE_S, look)
    assert seen.texts == ["two", "three"]


async def test_an_edit_during_an_unfinished_reload_is_seen_after_it(file: Path, clock: FakeClock) -> None:
    seen, reading = Seen(file, clock), asyncio.Event()
    finish = asyncio.Event()

    async def slow_reload() -> None:
        await seen.changed()
        reading.set()
        await finish.wait()

    seen.watcher = Watcher(
        sources=lambda: [file], changed=slow_reload, clock=clock, is_written=lambda files: Writing.NO
    )
    look = await seen.look()
    await clock.advance(SETTLE_S)
    await asyncio.wait_for(reading.wait(), 10)
    write(file, "one")
    finish.set()
    assert await look
    look = await seen.look()
    await seen.pass_by(SETTLE_S, look)
    assert seen.texts == ["zero", "one"]


def test_deleted_file_is_a_change(file: Path) -> None:
    before = digest([file])
    file.unlink()
    assert digest([file]) != before


# --- who writes: the kernel says --------------------------------------------------------------


def test_open_for_writing_is_told_and_closed_is_told(file: Path) -> None:
    assert writing([file]) is Writing.NO
    with file.open("a"):
        assert writing([file]) is Writing.YES
    assert writing([file]) is Writing.NO


def test_open_for_reading_is_nobody_writing(file: Path) -> None:
    with file.open():
        assert writing([file]) is Writing.NO


def test_one_of_several_files_is_enough(file: Path) -> None:
    with file.open("a"):
        assert writing([file.with_name("missing"), file]) is Writing.YES


def test_what_is_no_file_is_unknown(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert writing([tmp_path]) is Writing.UNKNOWN
    assert writing([tmp_path / "pipe"]) is Writing.UNKNOWN


# --- which folders ----------------------------------------------------------------------------


def names(folders: Iterable[tuple[str, int]]) -> set[str]:
    return {folder for folder, _ in folders}


def test_the_folder_that_a_link_leads_to_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere" / "real.toml").write_text("")
    (tmp_path / "here" / "config.toml").symlink_to(tmp_path / "elsewhere" / "real.toml")
    assert names(folders_of([tmp_path / "here" / "config.toml"])) == {
        str(tmp_path / "here"),
        str(tmp_path / "elsewhere"),
    }


def test_another_folder_of_the_same_name_is_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    before = folders_of([folder / "config.toml"])
    folder.rename(tmp_path / "old")
    folder.mkdir()
    assert folders_of([folder / "config.toml"]) != before


def test_a_folder_that_is_not_there_is_not_watched(tmp_path: Path) -> None:
    assert folders_of([tmp_path / "missing" / "config.toml"]) == set()
