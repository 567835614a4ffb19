"""Files that a configuration is made of, read with suspicion: regular, small, UTF-8, TOML.

A configuration path may be anything that a person can type: a folder, a pipe that never ends, a core
dump. Each is a clear problem with the file's name, never a hang and never a traceback.
"""

import hashlib
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.settings.document import Document, Source
from supervisor.settings.lines import MAX_NAME_PARTS, Place, locate, long_name_at
from supervisor.settings.report import Report
from supervisor.settings.table import Table

MAX_CONFIG_BYTES = 1_000_000
MAX_SECRET_BYTES = 64_000
KEYS_FOLDER = "keys.d"

_LINE_IN_MESSAGE = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)


class Files:
    """Read the configuration's files and remember which they were.

    reads_secrets: False = every secret is "" and no problem, for those who may not or need not see them.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.read: list[Path] = []
        self._open: set[Path] = set()
        self.sha256 = ""
        self.reads_secrets = True
        self.instead: Mapping[Path, bytes] = {}  # content that a file would have, to be judged before it is written

    def document(self, path: Path) -> Document | None:
        """Return the file's content; None and a problem when it cannot be read as TOML."""
        name = str(path)
        try:
            raw = self._bytes(path, MAX_CONFIG_BYTES)
        except (OSError, ValueError) as error:
            self.report.problem_at(name, 0, _reason(error))
            return None
        self.sha256 = self.sha256 or hashlib.sha256(raw).hexdigest()
        parsed = _parse(raw)
        if isinstance(parsed, _Broken):
            self.report.problem_at(name, parsed.line, parsed.reason)
            return None
        return Document(parsed.values, Source(name, path.absolute(), parsed.lines))

    def secret(self, table: Table, name: str) -> str:
        """Return the secret in the file that setting `name` points to; "" and a problem when there is none."""
        secret = self.secrets(table, name)
        if not secret.isprintable():
            table.problem(name, f"{resolve(table.folder, table.text(name, ''))} has more than one line")
            return ""
        return secret

    def secrets(self, table: Table, name: str) -> str:
        """Return the lines of the file that setting `name` points to; "" and a problem when there are none."""
        text = table.text(name, "", expected="a path")
        if not text or not self.reads_secrets:
            return ""
        path = resolve(table.folder, text)
        try:
            secret = self._bytes(path, MAX_SECRET_BYTES).decode().strip()
            self.warn_if_readable(path, table.label)
        except UnicodeDecodeError:
            table.problem(name, f"{path} is not text")
            return ""
        except (OSError, ValueError) as error:
            table.problem(name, f"{path}: {_reason(error)}")
            return ""
        if not secret:
            table.problem(name, f"{path} is empty")
        return secret

    def warn_if_readable(self, path: Path, label: str) -> None:
        """Warn once when every user of the machine may read a file with a secret. OSError when it vanished."""
        if path not in self._open and path.stat().st_mode & stat.S_IROTH:
            self._open.add(path)
            self.report.warning(label, f"every user can read the secret in {path}: chmod 600 {path}")

    def _bytes(self, path: Path, limit: int) -> bytes:
        if path in self.instead:
            self.read.append(path)
            return self.instead[path]
        content = read_regular(path, limit)
        if path not in self.read:
            self.read.append(path)
        return content


def read_regular(path: Path, limit: int = MAX_CONFIG_BYTES) -> bytes:
    """Return what is in a file of at most `limit` bytes. OSError; ValueError: it is no such file."""
    # Look before opening: opening a pipe without a writer waits for ever.
    seen = path.stat()
    if not stat.S_ISREG(seen.st_mode):
        raise ValueError("is a folder, not a file" if stat.S_ISDIR(seen.st_mode) else "is no regular file")
    if seen.st_size > limit:
        raise ValueError(f"has {seen.st_size:,} bytes, at most {limit:,} are read")
    with path.open("rb") as file:
        return file.read(limit)


def read_toml(path: Path) -> dict[str, Any]:
    """Return a file's content, without places. OSError; ValueError: it is no TOML file, and why."""
    parsed = _parse(read_regular(path))
    if isinstance(parsed, _Broken):
        raise ValueError(f"line {parsed.line}: {parsed.reason}")
    return parsed.values


def key_files(config_path: Path) -> list[Path]:
    """Return keys.d/*.toml beside the configuration, by name, without editors' own (.name)."""
    folder = config_path.parent / KEYS_FOLDER
    return sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))


def resolve(folder: Path, text: str) -> Path:
    """Return an absolute path; a relative one starts at `folder`."""
    try:
        return (folder / Path(text).expanduser()).absolute()
    except RuntimeError:  # ~somebody who does not exist
        return (folder / text).absolute()


@dataclass(frozen=True, slots=True)
class _Parsed:
    values: dict[str, Any]
    lines: dict[Place, int]


@dataclass(frozen=True, slots=True)
class _Broken:
    line: int
    reason: str


def _parse(raw: bytes) -> _Parsed | _Broken:
    try:
        text = raw.decode()
        if text.startswith("\ufeff"):
            return _Broken(1, "starts with a byte order mark: save it as plain UTF-8")
        if line := long_name_at(text):
            return _Broken(line, f"has a name of more than {MAX_NAME_PARTS} parts")
        return _Parsed(tomllib.loads(text), locate(text))
    except UnicodeDecodeError as error:
        return _Broken(raw.count(b"\n", 0, error.start) + 1, "is not UTF-8 text")
    except RecursionError:
        return _Broken(1, "is not TOML: nested too deeply")
    except ValueError as error:
        # tomllib before 3.14 tells the line in its text only; nothing but the place is taken from it.
        match = _LINE_IN_MESSAGE.match(str(error))
        if match:
            return _Broken(int(match[2]), f"is not TOML: {match[1]} (column {match[3]})")
        return _Broken(raw.count(b"\n") + 1, f"is not TOML: {error}")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return str(error)
