"""A real database in tmp_path: as a bare connection for rules, as a service on a socket for the rest."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.database.bench import PACKAGE, Bench, Desk
from tests.support.clock import FakeClock


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """The queue's functions on one connection, each call in a transaction of its own."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
async def desk(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Desk]:
    """A started service without its background loops; tests call their turns."""
    assert PACKAGE.is_dir()
    desk = Desk(tmp_path, clock)
    await desk.start()
    yield desk
    await desk.stop()
