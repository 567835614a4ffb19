"""The program as one executable file: a few lines of shell before an archive.

Not PyInstaller's own single file: that one unpacks at every start, stays as the parent of the program (so that
systemd hears READY from the wrong process), and leaves its folder behind when it is killed.
"""

import hashlib
import subprocess
from pathlib import Path

from scripts.packaging import source

STUB = Path(__file__).with_name("stub.sh")
NAME_DIGITS = 16


def pack(frozen: Path, target: Path) -> Path:
    """Write `target` from the folder `frozen`."""
    payload = _archive(frozen)
    sha256 = hashlib.sha256(payload).hexdigest()
    stub = STUB.read_text()
    words = {"@HASH@": sha256[:NAME_DIGITS], "@SHA256@": sha256, "@LINES@": str(stub.count("\n") + 1)}
    for word, value in words.items():
        stub = stub.replace(word, value)
    target.write_bytes(stub.encode() + payload)
    target.chmod(0o755)
    return target


def _archive(frozen: Path) -> bytes:
    """Return the folder's content as tar.gz; the same content makes the same bytes."""
    order = ["--sort=name", f"--mtime=@{source.committed_at()}", "--owner=0", "--group=0", "--numeric-owner"]
    tar = subprocess.run(["tar", "-c", *order, "-C", str(frozen), "."], capture_output=True, check=True).stdout
    return subprocess.run(["gzip", "-9n"], input=tar, capture_output=True, check=True).stdout
