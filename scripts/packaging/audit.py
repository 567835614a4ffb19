"""Ask pip-audit about every pinned package, and believe it only as far as it has really looked.

pip-audit calls a package that its source does not know "skipped" and ends with 0: on a machine without that source it
would find nothing, whatever there is.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path("scripts/packaging/lock.txt")
REPORT = Path("build/audit.json")
LOOKED_WITHIN_S = 300


def main() -> int:
    REPORT.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    command += ["--progress-spinner", "off", "--timeout", "20", "--format", "json", "--output", str(REPORT)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOOKED_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        print(f"SKIPPED audit: no answer within {LOOKED_WITHIN_S} s")
        return 0
    if not REPORT.exists():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"SKIPPED audit: the list of vulnerabilities cannot be asked: {last[:200]}")
        return 0
    return judge(json.loads(REPORT.read_text())["dependencies"])


def judge(packages: list[dict[str, Any]]) -> int:
    """Print what was found; 1 = a package is affected."""
    skipped = [package for package in packages if package.get("skip_reason")]
    affected = [package for package in packages if package.get("vulns")]
    for package in affected:
        names = ", ".join(found["id"] for found in package["vulns"])
        print(f"audit: {package['name']} {package['version']}: {names}")
    if skipped:
        print(f"SKIPPED audit of {len(skipped)} of {len(packages)} packages: {skipped[0]['skip_reason'][:200]}")
    print(f"audit: {len(packages) - len(skipped)} packages looked up, {len(affected)} affected")
    return 1 if affected else 0


if __name__ == "__main__":
    sys.exit(main())
