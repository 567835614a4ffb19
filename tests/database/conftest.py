"""A real database in tmp_path: as a bare connection for rules, as a service on a socket for the rest."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.database.bench import Bench, Desk
from tests.support.clock import FakeClock


def copy_state(template: Path, folder: Path) -> None:
    for name in ("gatherer.db", "market.db"):
        shutil.copy(template / name, folder / name)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated state, made once: migrating costs more than most tests."""
    folder = tmp_path_factory.mktemp("template")
    Bench(folder).close()
    return folder


@pytest.fixture
def bench(tmp_path: Path, template: Path) -> Iterator[Bench]:
    """The queue's functions on one connection, each call in a transaction of its own."""
    copy_state(template, tmp_path)
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
async def desk(tmp_path: Path, template: Path, clock: FakeClock) -> AsyncIterator[Desk]:
    """A started service without its background loops; tests call their turns."""
    copy_state(template, tmp_path)
    desk = Desk(tmp_path, clock)
    await desk.start()
    yield desk
    await desk.stop()
