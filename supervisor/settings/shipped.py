"""The configurations that come with Gatherer, as text: config.toml, development.toml, production.toml, demo.toml."""

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "config"


def shipped(name: str) -> str:
    """Return the text of a shipped file, such as "demo.toml". FileNotFoundError when there is none of that name."""
    return (FOLDER / name).read_text(encoding="utf-8")
