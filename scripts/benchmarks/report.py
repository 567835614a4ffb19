"""What a benchmark leaves: lines for people, JSON for machines, a picture."""

import json
import platform
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path("bench-results")


@dataclass
class Report:
    """Figures with their bars. A figure without a bar is only shown."""

    name: str
    figures: dict[str, float] = field(default_factory=dict)
    bars: dict[str, str] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: float, *, at_least: float | None = None, at_most: float | None = None) -> None:
        """Note a figure and hold it against its bar."""
        self.figures[name] = value
        if at_least is not None:
            self.bars[name] = f"≥ {at_least:g}"
            if not value >= at_least:
                self.missed.append(name)
        if at_most is not None:
            self.bars[name] = f"≤ {at_most:g}"
            if not value <= at_most:
                self.missed.append(name)

    def finish(self, series: dict[str, list[tuple[float, float]]] | None = None, ylabel: str = "") -> int:
        """Print, write JSON and picture; return the exit code."""
        width = max(len(name) for name in self.figures)
        for name, value in self.figures.items():
            verdict = "" if name not in self.bars else ("MISSED" if name in self.missed else "ok")
            print(f"{name:{width}}  {value:12,.3f}  {self.bars.get(name, ''):12} {verdict}")
        RESULTS.mkdir(exist_ok=True)
        stem = RESULTS / self.name
        machine = f"{platform.machine()}, {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
        document = {"name": self.name, "machine": machine, "figures": self.figures, "bars": self.bars}
        document |= {"missed": self.missed, "details": self.details}
        stem.with_suffix(".json").write_text(json.dumps(document, indent=2, default=str))
        if series:
            _draw(stem.with_suffix(".png"), self.name, series, ylabel)
        print(f"→ {stem}.json" + (f", {stem}.png" if series else ""))
        return 1 if self.missed else 0


def _draw(path: Path, title: str, series: dict[str, list[tuple[float, float]]], ylabel: str) -> None:
    import matplotlib  # noqa: PLC0415 - slow to import, and only pictures need it

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415 - as above

    figure, axes = pyplot.subplots(figsize=(9, 4))
    for name, points in series.items():
        axes.plot([x for x, _ in points], [y for _, y in points], label=name)
    axes.set_title(title)
    axes.set_xlabel("seconds")
    axes.set_ylabel(ylabel)
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
