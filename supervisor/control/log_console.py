"""Log lines for people at a terminal."""

import os
from collections.abc import Callable
from typing import Any, TextIO

import structlog


def drawer(stream: TextIO) -> Callable[[Any, str, dict[str, Any]], Any]:
    """Return what draws one event's fields as a line of columns, with colours where `stream` shows them."""
    return structlog.dev.ConsoleRenderer(colors=stream.isatty() and "NO_COLOR" not in os.environ)
