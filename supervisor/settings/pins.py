"""What overrides the file: the guide's environment variables, systemd's folders, the command line.

Order: defaults < file < environment < command line. What overrides is laid over the TOML content before
it is read, so it goes through the same checks, and a problem names the variable instead of a line.

    CHARACTERS_WORKER_CONCURRENCY   workers.characters.concurrency   (so for every worker's name)
    OSINT_REPLICAS                  tags.osint.replicas              (so for every tag; a worker's own
                                                                      `replicas` in the file stays)
    STATE_DIRECTORY                 state_dir
    RUNTIME_DIRECTORY               run_dir
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supervisor.settings.document import Document
from supervisor.settings.report import Report, nearest

COMMAND_LINE = "command line"

CONCURRENCY = "_WORKER_CONCURRENCY"
REPLICAS = "_REPLICAS"
_FOLDERS = {"STATE_DIRECTORY": "state_dir", "RUNTIME_DIRECTORY": "run_dir"}


def pin(
    document: Document, report: Report, environment: Mapping[str, str], overrides: Mapping[str, str]
) -> dict[str, str]:
    """Lay environment and command line over the document; return what they fix: setting → variable.

    overrides: "workers.characters.concurrency" → value, as TOML or as bare text.
    """
    pinned: dict[str, str] = {}
    _folders(document, report, environment, pinned)
    _concurrencies(document, report, environment, pinned)
    _replicas(document, report, environment, pinned)
    for setting, text in overrides.items():
        value = str(Path(text).absolute()) if setting in _FOLDERS.values() else value_of(text)
        _lay(document, report, setting, value, COMMAND_LINE, pinned)
    return pinned


def variable_of(name: str) -> str:
    """Return a worker's or tag's name as environment variables spell it: "my-tag" → "MY_TAG"."""
    return name.upper().replace("-", "_")


def _folders(document: Document, report: Report, environment: Mapping[str, str], pinned: dict[str, str]) -> None:
    for variable, setting in _FOLDERS.items():
        # systemd joins several folders with ":"; the first is ours.
        folder = environment.get(variable, "").split(":")[0]
        if folder and not folder.startswith("/"):
            report.problem_at(variable, 0, f"{setting}: expected an absolute path, got {folder!r}")
        elif folder:
            _lay(document, report, setting, folder, variable, pinned)


def _concurrencies(document: Document, report: Report, environment: Mapping[str, str], pinned: dict[str, str]) -> None:
    workers = {variable_of(name) + CONCURRENCY: name for name in document.names("workers")}
    for variable in sorted(name for name in environment if name.endswith(CONCURRENCY)):
        if variable in workers and environment[variable].strip():
            value = value_of(environment[variable].strip())
            _lay(document, report, f"workers.{workers[variable]}.concurrency", value, variable, pinned)
        elif variable not in workers:
            report.warning_at(variable, f"no such worker, so it has no effect{nearest(variable, workers)}")


def _replicas(document: Document, report: Report, environment: Mapping[str, str], pinned: dict[str, str]) -> None:
    tag_of = {name: document.peek("workers", name, "tag") for name in document.names("workers")}
    tags = {tag for tag in tag_of.values() if isinstance(tag, str)} | set(document.names("tags"))
    for tag in sorted(tags):
        variable = variable_of(tag) + REPLICAS
        if not environment.get(variable, "").strip():
            continue
        _lay(document, report, f"tags.{tag}.replicas", value_of(environment[variable].strip()), variable, pinned)
        for worker, its_tag in tag_of.items():
            if its_tag == tag and document.peek("workers", worker, "replicas") is None:
                pinned[f"workers.{worker}.replicas"] = variable


def _lay(document: Document, report: Report, setting: str, value: Any, origin: str, pinned: dict[str, str]) -> None:
    if not document.lay(tuple(setting.split(".")), value, origin):
        report.problem_at(origin, 0, f"{setting}: a part of this name is no table")
        return
    pinned[setting] = origin


def value_of(text: str) -> Any:
    """Return the value that `text` is in TOML (3, true, "10m"); a text that is none stands for itself."""
    try:
        content = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return content["value"] if list(content) == ["value"] else text
