"""A control API with a program in memory behind it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.control.http import ControlServer
from tests.control.fake_face import FakeFace
from tests.control.serving import serve


@pytest.fixture
def face() -> FakeFace:
    return FakeFace()


@pytest.fixture
def happened() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
async def server(
    face: FakeFace, tmp_path: Path, happened: list[tuple[str, dict[str, Any]]]
) -> AsyncIterator[ControlServer]:
    server = serve(face, tmp_path, happened)
    await server.start()
    yield server
    await server.stop()
