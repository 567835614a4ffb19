"""What a drained program leaves: no process, no temporary file, no socket; only its state."""

import re
from collections.abc import Iterable
from pathlib import Path

# state_dir, as ARCHITECTURE.md ("Tables and state") has it. After a clean end SQLite has removed its logs.
STATE = re.compile(
    r"gatherer\.db|market\.db|limiter\.journal(\.lock)?|overrides\.toml|supervisor\.lock|database\.lock|backups(/.*)?"
)
RUN = re.compile(r"big-body\.lock")  # the turn for a big body, held by no one


def orphans(marker: str, proc: Path = Path("/proc")) -> list[str]:
    """Find processes with `marker` in their environment: those of this run, whoever is their parent now."""
    findings = []
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes()
            name = (folder / "comm").read_text().strip()
        except OSError:
            continue  # it has ended meanwhile, or is not ours to read
        if marker.encode() in environment:
            findings.append(f"process {folder.name} ({name}) is still there after the drain")
    return findings


def left_files(state: Path, run: Path, temporary: Path, folder: Path, known: Iterable[str]) -> list[str]:
    """Find files that have no business to be there. known: names that belong into `folder`, where config.toml is."""
    expected = set(known)
    findings = _strangers(state, STATE) + _strangers(run, RUN)
    findings += [f"temporary file left: {path}" for path in temporary.rglob("*")]
    findings += [
        f"file left beside the configuration: {path}" for path in folder.iterdir() if path.name not in expected
    ]
    return findings


def _strangers(folder: Path, allowed: re.Pattern[str]) -> list[str]:
    findings = []
    for path in folder.rglob("*"):
        if path.is_socket():
            findings.append(f"socket left: {path}")
        elif not path.is_dir() and not allowed.fullmatch(str(path.relative_to(folder))):
            findings.append(f"file left: {path}")
    return findings
