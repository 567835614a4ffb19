"""Events as log lines: one line per transition, JSON for machines, columns for people.

    {"at": "2026-11-23T10:46:55.238Z", "level": "warning", "event": "replica_exited", "worker": "characters", …}

An event may bring its own `level` and a `traceback` (text). Values of fields that are named like a
credential are masked, whoever emitted them: the last net, not the first.
"""

import importlib
import json
import logging
import os
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

from supervisor.core.clock import Clock
from supervisor.core.text import printable
from supervisor.settings.config import Log

CONSOLE = "supervisor.control.log_console"
"""By name, because its libraries take a fifth of a start's imports, and a service writes JSON."""

MASK = "****"
SECRET_WORDS = ("secret", "token", "authorization", "password", "credential")
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
JOURNAL_PRIORITIES = {"debug": "<7>", "info": "<6>", "warning": "<4>", "error": "<3>"}
BAD_ENDINGS = ("_failed", "_refused", "_dropped", "_lost", "_killed", "_degraded", "_quarantined")
CHATTY = ("replica_started", "replica_ready", "replica_draining")


def level_of(name: str, fields: MutableMapping[str, Any]) -> str:
    """Return the level that an event asks for, or the one its name implies."""
    level = fields.get("level")
    if level in LEVELS:
        return str(level)
    if name.endswith(BAD_ENDINGS) or fields.get("crashed") is True:
        return "warning"
    return "debug" if name in CHATTY else "info"


class LogListener:
    """Write events to `stream` as `settings` say; subscribe it with `events.subscribe(listener)`."""

    def __init__(self, settings: Log, clock: Clock, stream: TextIO = sys.stderr) -> None:
        self._clock = clock
        self._stream = stream
        self._is_json = settings.form == "json" or (settings.form == "auto" and not stream.isatty())
        if not self._is_json:
            self._draw = importlib.import_module(CONSOLE).drawer(stream)
        self._is_journal = "JOURNAL_STREAM" in os.environ
        self._threshold = LEVELS[settings.level]

    def configure(self, settings: Log) -> None:
        """Follow a reload: the level changes, the form stays until a restart."""
        self._threshold = LEVELS[settings.level]

    def __call__(self, name: str, fields: dict[str, Any]) -> None:
        """Write one line; a closed stream loses it, nothing else."""
        level = level_of(name, fields)
        if LEVELS[level] < self._threshold:
            return
        line = self._line(name, level, fields)
        prefix = JOURNAL_PRIORITIES[level] if self._is_journal else ""
        try:
            self._stream.write(f"{prefix}{line}\n")
            self._stream.flush()
        except (OSError, ValueError):  # the reader of our pipe is gone: work goes on without a log
            return

    def _line(self, name: str, level: str, fields: dict[str, Any]) -> str:
        at = datetime.fromtimestamp(self._clock.wall(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rest = {key: _masked(key, value) for key, value in fields.items() if key != "level"}
        if self._is_json:
            return _escaped(
                json.dumps({"at": at, "level": level, "event": name} | rest, default=str, ensure_ascii=False)
            )
        traceback = rest.pop("traceback", "")
        shown = {key: printable(value) if isinstance(value, str) else value for key, value in rest.items()}
        drawn = str(self._draw(None, level, {"timestamp": at, "level": level, "event": name} | shown))
        # Indented, so that no line of it can pass for one of ours.
        return "\n".join([drawn, *(f"    {printable(line)}" for line in str(traceback).splitlines())])


def _escaped(line: str) -> str:
    """Return JSON that no terminal obeys: what JSON leaves as it is (U+202E, C1 controls) is spelled as JSON too."""
    return line if line.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _masked(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _masked(str(inner), each) for inner, each in value.items()}
    # "tokens" and "token_expires_in_s" are numbers worth reading; a credential is a text.
    if isinstance(value, str | bytes) and any(word in key.lower() for word in SECRET_WORDS):
        return MASK
    return value


class LibraryHandler(logging.Handler):
    """Carry warnings of libraries (asyncio, aiohttp) into the same log as an event."""

    def __init__(self, listener: LogListener) -> None:
        super().__init__(logging.WARNING)
        self._listener = listener

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record of the standard logging module."""
        fields: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        fields["level"] = "error" if record.levelno >= logging.ERROR else "warning"
        if record.exc_info:
            fields["traceback"] = logging.Formatter().formatException(record.exc_info)
        self._listener("library_logged", fields)
