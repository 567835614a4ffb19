"""Fixtures for all tests."""

import pytest

from tests.support.clock import FakeClock


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the loop that we ship."""
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test turns by hand."""
    return FakeClock()
