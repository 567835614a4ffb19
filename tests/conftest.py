"""Fixtures for all tests, and the rule that CI skips nothing."""

import os

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):  # type: ignore[no-untyped-def]  # pytest's own generator protocol
    """Where GATHERER_NO_SKIPS is set (CI), turn a skip into a failure: the machine should have had what it takes."""
    report = yield
    if report.skipped and os.environ.get("GATHERER_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {report.longrepr}"
    return report
