"""Whatever people save with, the watcher sees it: each way twice in a row, because a watch on a file goes deaf."""

import asyncio
import os
import pty
import select
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from supervisor.core.clock import SystemClock
from supervisor.settings.watch import Watcher
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

WITHIN_S = 10.0
Save = Callable[[Path, str, str], None]


class Seen:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.texts: list[str] = []
        self.watcher = Watcher(sources=lambda: [file], changed=self.changed, clock=SystemClock())

    async def changed(self) -> None:
        self.texts.append(self.file.read_text() if self.file.exists() else "")

    async def sees(self, text: str) -> None:
        await eventually(lambda: list(self.texts), lambda texts: bool(texts) and texts[-1] == text, within_s=WITHIN_S)


@asynccontextmanager
async def watching(file: Path) -> AsyncIterator[Seen]:
    seen = Seen(file)
    task = asyncio.create_task(seen.watcher.run())
    try:
        # Until the watch stands: an edit before that is seen too, but that would be another test.
        await eventually(lambda: seen.watcher.is_watching, within_s=WITHIN_S)
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def with_sed(file: Path, old: str, new: str) -> None:
    subprocess.run([tool("sed"), "-i", f"s/{old}/{new}/", str(file)], check=True)


def with_cp(file: Path, old: str, new: str) -> None:
    fresh = file.parent.parent / "fresh.toml"
    fresh.write_text(file.read_text().replace(old, new))
    subprocess.run([tool("cp"), str(fresh), str(file)], check=True)


def with_vi(file: Path, old: str, new: str) -> None:
    """The editor as it saves by default: the file goes to a backup, a new one takes its name."""
    command = [tool("vi"), "-u", "NONE", "-n", "-es", "-c", "set writebackup backupcopy=no", "-c", f"%s/{old}/{new}/"]
    subprocess.run([*command, "-c", "wq", str(file)], check=True, stdin=subprocess.DEVNULL)


def with_vi_in_place(file: Path, old: str, new: str) -> None:
    command = [tool("vi"), "-u", "NONE", "-n", "-es", "-c", "set backupcopy=yes", "-c", f"%s/{old}/{new}/"]
    subprocess.run([*command, "-c", "wq", str(file)], check=True, stdin=subprocess.DEVNULL)


def with_ed(file: Path, old: str, new: str) -> None:
    subprocess.run([tool("ed"), "-s", str(file)], input=f",s/{old}/{new}/\nw\nq\n", text=True, check=True)


def with_nano(file: Path, old: str, new: str) -> None:
    """Typed on a terminal: replace (M-R), all (A), write out, leave."""
    parent, child = pty.openpty()
    environment = os.environ | {"TERM": "xterm"}
    process = subprocess.Popen(
        [tool("nano"), "-I", str(file)],
        stdin=child,
        stdout=child,
        stderr=child,
        env=environment,
        start_new_session=True,
    )
    os.close(child)
    try:
        typed = [b"\x1br", old.encode(), b"\r", new.encode(), b"\r", b"a", b"\x0f", b"\r", b"\x18"]
        os.read(parent, 100_000)
        for keys in typed:
            os.write(parent, keys)
            read_until_quiet(parent)
        process.wait(WITHIN_S)
    finally:
        process.kill()
        process.wait()
        os.close(parent)


def read_until_quiet(fd: int) -> None:
    """Read what a program draws until it waits for the next key."""
    os.set_blocking(fd, False)
    while select.select([fd], [], [], 0.15)[0]:
        try:
            if not os.read(fd, 100_000):
                return
        except OSError:  # it has left
            return


def in_place(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))


def renamed(file: Path, old: str, new: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(file.read_text().replace(old, new))
    fresh.replace(file)


def removed_first(file: Path, old: str, new: str) -> None:
    text = file.read_text().replace(old, new)
    file.unlink()
    file.write_text(text)


def symlink_swapped(file: Path, old: str, new: str) -> None:
    target = file.with_name(f"version-{new}")
    target.write_text(file.read_text().replace(old, new))
    link = file.with_name("link.new")
    link.symlink_to(target)
    link.replace(file)


def folder_link_swapped(file: Path, old: str, new: str) -> None:
    """As Kubernetes mounts a ConfigMap: config.toml → ..data/config.toml, ..data → ..version."""
    folder = file.parent / f"..{new}"
    folder.mkdir()
    (folder / "config.toml").write_text(file.read_text().replace(old, new))
    swap = file.parent / "..fresh"
    swap.symlink_to(folder)
    swap.replace(file.parent / "..data")
    if not file.is_symlink():
        file.unlink()
        file.symlink_to("..data/config.toml")


WAYS = [
    with_sed, with_cp, with_vi, with_vi_in_place, with_ed, with_nano,
    in_place, renamed, removed_first, symlink_swapped, folder_link_swapped,
]  # fmt: skip  # a list of names


@pytest.mark.parametrize("save", WAYS, ids=lambda save: save.__name__)
async def test_every_way_of_saving_is_seen_twice_in_a_row(tmp_path: Path, save: Save) -> None:
    file = tmp_path / "etc" / "config.toml"
    file.parent.mkdir()
    file.write_text("number = zero\nlast = 1\n")
    async with watching(file) as seen:
        await asyncio.to_thread(save, file, "zero", "one")
        await seen.sees("number = one\nlast = 1\n")
        await asyncio.to_thread(save, file, "one", "two")
        await seen.sees("number = two\nlast = 1\n")
    assert set(seen.texts) == {"number = one\nlast = 1\n", "number = two\nlast = 1\n"}, "a half-written file was seen"


async def test_the_file_behind_a_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "config.toml", tmp_path / "etc" / "config.toml"
    for path in (real, link):
        path.parent.mkdir()
    real.write_text("zero")
    link.symlink_to(real)
    async with watching(link) as seen:
        renamed(real, "zero", "one")
        await seen.sees("one")


async def test_a_replaced_folder_is_followed(tmp_path: Path) -> None:
    """As configuration management does it: the whole folder is another one, and is edited again."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "config.toml").write_text("zero")
    async with watching(folder / "config.toml") as seen:
        fresh = tmp_path / "fresh"
        fresh.mkdir()
        (fresh / "config.toml").write_text("one")
        folder.rename(tmp_path / "old")
        fresh.rename(folder)
        await seen.sees("one")
        in_place(folder / "config.toml", "one", "two")
        await seen.sees("two")


async def test_a_writer_that_pauses_in_the_middle_is_never_read_half_way(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("zero")
    async with watching(file) as seen:
        with file.open("w") as writer:
            for piece in ("a = 1\n", "b = 2\n", "c = 3\n"):
                writer.write(piece)
                writer.flush()
                await asyncio.sleep(0.4)  # longer than any settling: only the open file tells
        await seen.sees("a = 1\nb = 2\nc = 3\n")
    assert seen.texts == ["a = 1\nb = 2\nc = 3\n"]


async def test_content_is_looked_at_where_no_watch_can_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fs.inotify.max_user_watches may be used up by others: then only the looks are left, and they are enough."""
    file = tmp_path / "config.toml"
    file.write_text("zero")

    async def refused(*folders: str, **options: object) -> AsyncIterator[None]:
        raise OSError("OS file watch limit reached")
        yield

    monkeypatch.setattr("supervisor.settings.watch.watchfiles.awatch", refused)
    monkeypatch.setattr("supervisor.settings.watch.LOOK_EVERY_S", 0.1)
    async with watching(file) as seen:
        file.write_text("one")
        await seen.sees("one")
