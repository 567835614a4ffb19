"""Make a folder with the program, Python and every library: it runs wherever the C library is new enough."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.packaging import source

SPECIFICATION = Path(__file__).with_name("gatherer.spec")


def freeze(work: Path) -> Path:
    """Return the folder; its program is `gatherer` in it."""
    shutil.rmtree(work, ignore_errors=True)
    generated = work / "generated"
    (generated / "supervisor").mkdir(parents=True)
    (generated / "supervisor" / "commit.txt").write_text(f"{source.commit()}\n")
    environment = os.environ | {
        "GATHERER_GENERATED": str(generated.absolute()),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path.cwd()),
        "SOURCE_DATE_EPOCH": source.committed_at(),
    }
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--workpath", str(work / "work"), "--distpath", str(work), str(SPECIFICATION)]
    subprocess.run(command, env=environment, check=True)
    program = work / "gatherer" / "gatherer"
    subprocess.run([program.absolute(), "--version"], check=True, cwd="/")
    return program.parent
