"""Client secrets and tokens belong to the supervisor's memory and to nothing that anybody can read."""

import re
from collections.abc import Iterable
from pathlib import Path

TOKEN = rb"EU[0-9a-f]{32}"  # as the simulator makes them (jobs/simulator/clients.py)


class Needles:
    """Search bytes for secrets and tokens. findings: where some were found; searched: bytes looked at."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._pattern = re.compile(b"|".join([TOKEN, *(re.escape(secret.encode()) for secret in secrets)]))
        self.findings: list[str] = []
        self.searched = 0

    def search(self, where: str, text: bytes) -> None:
        """Look through what was read at `where`."""
        self.searched += len(text)
        found = self._pattern.search(text)
        if found is not None:
            self.findings.append(f"{where} shows {_masked(found.group())} at byte {found.start()}")

    def search_files(self, folder: Path) -> None:
        """Look through every file below a folder: databases, journal, logs."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.search(str(path), path.read_bytes())


def _masked(found: bytes) -> str:
    """Say which secret it is without repeating it."""
    return f"{found[:4].decode(errors='replace')}… ({len(found)} bytes)"
