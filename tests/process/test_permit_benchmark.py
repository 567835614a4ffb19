"""The benchmark of permits is real code around the limiter's inside: it must not rot between two runs."""

from argparse import Namespace
from pathlib import Path

import pytest

from scripts.benchmarks.permits import Bench, Cell

pytestmark = pytest.mark.slow


async def test_clients_get_permits_and_are_counted(tmp_path: Path) -> None:
    measured = await Bench(Cell(2, outstanding=2), tmp_path / "journal", Namespace(seconds=2.0, processes=1)).run()
    assert measured.pairs_per_s > 1.0
    assert measured.server_us > 0.0
    assert measured.client_us > 0.0
