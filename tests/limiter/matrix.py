"""Every mode against every network: which cells there are, what each must reach, and how all are run.

A cell is a pure function of its seed, so cells run in processes of their own, one for each core.
"""

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.limiter.saturation import Outcome, Saturation

JITTERS_S = (0.01, 0.03, 0.08)


@dataclass(frozen=True)
class Mode:
    """One way to set an API up. bars: least utilisation at each of JITTERS_S."""

    settings: Mapping[str, Any]
    bars: tuple[float, float, float]


MODES = {
    "sliding": Mode({}, (0.928, 0.911, 0.871)),
    "sliding, theta auto": Mode({"theta": "auto"}, (0.956, 0.938, 0.895)),
    "bucket": Mode({"mode": "bucket"}, (0.995, 0.995, 0.995)),
    "fixed, phase known": Mode({"mode": "fixed", "phase_s": 0.0}, (0.99, 0.99, 0.99)),
    "fixed, phase learned": Mode({"mode": "fixed"}, (0.99, 0.99, 0.99)),
}


@dataclass(frozen=True)
class Cell:
    """One run: a mode, a jitter, a seed, so many requests."""

    mode: str
    jitter_s: float
    seed: int
    requests: int

    def run(self) -> Outcome:
        settings = MODES[self.mode].settings
        return Saturation(self.seed, jitter_s=self.jitter_s, **settings).run(self.requests)

    @property
    def bar(self) -> float:
        return MODES[self.mode].bars[JITTERS_S.index(self.jitter_s)]


def cells_of(mode: str, *, requests: int, seeds: int) -> list[Cell]:
    """Return the cells of a mode that make at least `requests` together."""
    each = -(-requests // (len(JITTERS_S) * seeds))
    return [Cell(mode, jitter_s, seed, each) for jitter_s in JITTERS_S for seed in range(1, seeds + 1)]


def run_cells(cells: Iterable[Cell]) -> Iterator[tuple[Cell, Outcome]]:
    """Yield each cell with its outcome, in order, run on all cores."""
    wanted = list(cells)
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as processes:
        yield from zip(wanted, processes.map(Cell.run, wanted), strict=True)
