"""The example of docs/your-own-api.md as files, for whoever runs it."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "your-own-api.md"
EXAMPLE = "weather"
SECRET = "hush"

_BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_example(folder: Path) -> Path:
    """Write the example's files below `folder`, which takes the place of its path, and return its own folder."""
    for name, text in _BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("/etc/gatherer/jobs", str(folder)), encoding="utf-8")
    secret = folder / EXAMPLE / "weather.secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{SECRET}\n")
    return folder / EXAMPLE
