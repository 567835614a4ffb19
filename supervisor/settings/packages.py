"""Job packages on disk, looked at without importing them (the supervisor never runs job code).

A package is a folder with `manifest.toml` ([kind] entity, requests), `statements/` and `migrations/`;
its job modules live in it or below. `path` is a worker's extra import folder and comes first, as it
will in the replica.
"""

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST = "manifest.toml"

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_STATEMENT = re.compile(r"^--\s*name:\s*(\w+)\s*$", re.MULTILINE)


def kind_of(job: str) -> str:
    """Return the manifest section of a job module: "jobs.characters" → "characters"."""
    return job.rpartition(".")[2]


def module_problem(job: str, path: str) -> str:
    """Return why `job` cannot be imported as far as the disk tells, or ""."""
    if not _MODULE.fullmatch(job):
        return f'expected the name of a Python module, such as jobs.characters, got "{job}"'
    top, *rest = job.split(".")
    roots = list(_top_folders(top, path))
    if not roots:
        if not rest and _is_single_file(top, path):
            return ""
        return f'no Python package "{top}" is found; say where it is: path = "/folder/above/it"'
    # A frozen program has no source files to look for.
    if getattr(sys, "frozen", False) or any(_holds(root, rest) for root in roots):
        return ""
    return f'package "{top}" has no module "{".".join(rest)}"{_neighbours(roots, rest)}'


def package_folder(job: str, path: str) -> Path | None:
    """Return the innermost folder above the module that has a manifest, None when none has."""
    top, *rest = job.split(".")
    for root in _top_folders(top, path):
        folders = [root.joinpath(*rest[:depth]) for depth in range(len(rest), -1, -1)]
        for folder in folders:
            if (folder / MANIFEST).is_file():
                return folder
    return None


def manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Return a package's manifest by kind; {} when it cannot be read (the database process says why)."""
    try:
        content = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {kind: section for kind, section in content.items() if isinstance(section, dict)}


def nominal_requests(job: str, path: str) -> float:
    """Return the requests that the manifest says one job takes; 1 when it says nothing usable, 0 = it sends none."""
    folder = package_folder(job, path)
    requests = manifest(folder).get(kind_of(job), {}).get("requests", 1) if folder else 1
    return float(requests) if isinstance(requests, int | float) and requests >= 0 else 1.0


def nominal_rounds(job: str, path: str) -> float:
    """Return how many times a job waits for an answer, by the manifest; all its requests in turn when it says nothing.

    At most as many as it has requests; the last round sends all that are left at once.
    """
    folder = package_folder(job, path)
    requests = nominal_requests(job, path)
    rounds = manifest(folder).get(kind_of(job), {}).get("rounds", requests) if folder else requests
    return min(float(rounds), requests) if isinstance(rounds, int | float) and rounds > 0 else requests


def statement_names(folder: Path) -> set[str]:
    """Return the names of all statements in the package."""
    found: set[str] = set()
    for file in sorted(folder.glob("statements/*.sql")):
        found.update(_STATEMENT.findall(file.read_text(encoding="utf-8", errors="replace")))
    return found


def _top_folders(top: str, path: str) -> Iterator[Path]:
    if path and (Path(path) / top).is_dir():
        yield Path(path) / top
        return
    for location in _specification(top, "submodule_search_locations") or ():
        yield Path(location)


def _is_single_file(top: str, path: str) -> bool:
    return (bool(path) and (Path(path) / f"{top}.py").is_file()) or bool(_specification(top, "origin"))


def _specification(top: str, attribute: str) -> Any:
    try:
        specification = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    return getattr(specification, attribute, None)


def _holds(root: Path, rest: list[str]) -> bool:
    module = root.joinpath(*rest)
    return (module / "__init__.py").is_file() or (bool(rest) and module.with_name(f"{module.name}.py").is_file())


def _neighbours(roots: list[Path], rest: list[str]) -> str:
    names = sorted({file.stem for root in roots for file in root.joinpath(*rest[:-1]).glob("*.py")} - {"__init__"})
    return f" (it has: {', '.join(names[:12])})" if names else ""
