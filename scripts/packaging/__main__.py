"""`scripts/build`: freeze → one file → Debian package → checksums, all in dist/.

The result runs on systems with this one's C library or a newer one.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from scripts.packaging import debian, freezing, needs, single, source

DIST = Path("dist")
BUILD = Path("build")
STAMP = DIST / "built-from"


def main() -> int:
    if missing := needs.missing():
        print(f"scripts/build needs {'; '.join(missing)}", file=sys.stderr)
        return 78
    fingerprint = source.fingerprint()
    if STAMP.exists() and STAMP.read_text() == fingerprint:
        print("dist/ is up to date")
        return 0
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    frozen = freezing.freeze(BUILD / "frozen")
    made = [single.pack(frozen, DIST / "gatherer"), debian.pack(frozen, BUILD / "debian", DIST)]
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (DIST / "SHA256SUMS").write_text("".join(sums))
    STAMP.write_text(fingerprint)
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


sys.exit(main())
