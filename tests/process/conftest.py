"""Fixtures for tests with real processes."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from supervisor.settings.config import Worker
from tests.pools.harness import Scene, zombies


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Callable[..., Scene]]:
    scenes: list[Scene] = []
    not_ours = set(zombies())

    def make(*workers: Worker, **more: object) -> Scene:
        scenes.append(Scene(tmp_path, *workers, **more))  # type: ignore[arg-type]  # passed through
        return scenes[-1]

    yield make
    for scene in scenes:
        await scene.pools.stop()
        assert set(zombies()) <= not_ours
