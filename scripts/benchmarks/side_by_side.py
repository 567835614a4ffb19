"""The picture of `scripts/bench limiter`: what each limiter used, and what it was refused."""

from pathlib import Path


def draw(path: Path, rows: list[tuple[str, float, float]]) -> None:
    """Draw (name, share of the limit used, 429s per million) from top to bottom."""
    import matplotlib  # noqa: PLC0415 - slow to import, and only pictures need it

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415 - as above

    figure, axes = pyplot.subplots(figsize=(9, 0.6 + 0.45 * len(rows)))
    for place, (_, used, refused) in enumerate(reversed(rows)):
        axes.barh(place, 100 * used, color="#2a7f62" if not refused else "#c9604b", height=0.6)
        said = "no 429" if not refused else f"{refused:,.0f} per million answered 429"
        axes.text(1, place, f"{100 * used:.1f} %, {said}", va="center", color="white", fontsize=8)
    axes.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)])
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the API's limit used, % (counted by the API)")
    path.parent.mkdir(exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
