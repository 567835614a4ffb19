"""A saved edit is noticed however an editor writes it, and a half-written file is waited for."""

import asyncio
import os
from pathlib import Path

import pytest

from supervisor.core.clock import SystemClock
from supervisor.settings.watch import SETTLE_S, Watcher
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


class Seen:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.texts: list[str] = []
        self.watcher = Watcher(sources=lambda: [file], changed=self.changed, clock=SystemClock())

    async def changed(self) -> None:
        self.texts.append(self.file.read_text())


def in_place(file: Path, text: str) -> None:
    file.write_text(text)


def renamed(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)


def removed_first(file: Path, text: str) -> None:
    file.unlink()
    file.write_text(text)


def symlink_swapped(file: Path, text: str) -> None:
    target = file.with_name(f"version-{text}")
    target.write_text(text)
    link = file.with_name("link.new")
    link.symlink_to(target)
    Path(link).replace(file)


@pytest.mark.parametrize("write", [in_place, renamed, removed_first, symlink_swapped])
async def test_every_way_of_saving_is_seen_twice_in_a_row(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]  # one of the above
    file = tmp_path / "config.toml"
    file.write_text("zero")
    seen = Seen(file)
    task = asyncio.ensure_future(seen.watcher.run())
    try:
        await asyncio.sleep(0.3)
        write(file, "one")
        await eventually(lambda: seen.texts, lambda texts: texts == ["one"], within_s=3.0)
        write(file, "two")
        await eventually(lambda: seen.texts, lambda texts: texts == ["one", "two"], within_s=3.0)
    finally:
        task.cancel()


async def test_touch_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("zero")
    seen = Seen(file)
    await seen.watcher.run_once()
    seen.texts.clear()
    os.utime(file)
    assert not await seen.watcher.run_once()
    assert seen.texts == []


async def test_slow_writer_is_waited_for(tmp_path: Path, clock: FakeClock) -> None:
    file = tmp_path / "config.toml"
    file.write_text("zero")
    seen = Seen(file)
    seen.watcher = Watcher(sources=lambda: [file], changed=seen.changed, clock=clock)
    file.write_text("ha")
    look = asyncio.ensure_future(seen.watcher.run_once())
    await eventually(lambda: clock.sleepers)
    file.write_text("half")
    await clock.advance(SETTLE_S)
    await eventually(lambda: clock.sleepers)
    assert seen.texts == []
    await clock.advance(SETTLE_S)
    assert await look
    assert seen.texts == ["half"]
