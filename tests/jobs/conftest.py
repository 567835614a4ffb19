"""Fixtures for tests of jobs: a database and a world that both stand still until a test moves them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.character_world import World
from tests.jobs.harness import Harness
from tests.support.clock import FakeClock


@pytest.fixture
def database(tmp_path: Path, clock: FakeClock) -> Iterator[Harness]:
    """A migrated gatherer.db with market.db, at the clock's time of day."""
    harness = Harness(tmp_path, now=clock.wall())
    yield harness
    harness.close()


@pytest.fixture
def world(database: Harness, clock: FakeClock) -> World:
    """A character that the API knows; tests of other workers have worlds of their own."""
    return World(database, clock)
