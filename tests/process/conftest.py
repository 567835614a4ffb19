"""Fixtures for tests with real processes, and the search for secrets in all that they leave behind."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.cli.calling import Daemon
from supervisor.settings.config import Worker
from tests.pools.harness import Scene, zombies
from tests.process.leaks import leaks_in, leaks_under


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


@pytest.fixture(scope="session", autouse=True)
def no_secret_is_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail the run when a secret stands in an answer that a test has got, or in a file that it has left."""
    answers: list[str] = []
    exchange = Daemon._exchange

    def watched(self: Daemon, method: str, target: str, *more: Any) -> tuple[int, bytes]:
        status, body = exchange(self, method, target, *more)
        answers.extend(f"{method} {target}: {leak}" for leak in leaks_in(body))
        return status, body

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Daemon, "_exchange", watched)
        yield
    found = answers + list(leaks_under(tmp_path_factory.getbasetemp()))
    assert not found, "secrets where nobody may read them:\n" + "\n".join(found[:20])
