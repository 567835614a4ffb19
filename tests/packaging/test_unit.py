"""config/gatherer.service, by systemd's own tools; nothing is started."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

UNIT = ROOT / "config" / "gatherer.service"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"),
]


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_exposure_is_at_most_1_5() -> None:
    done = analyze("security", "--offline=true", "--threshold=15", "--no-pager", str(UNIT))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    # verify looks for the programs; they are there only once the package is installed (test_systemd.py).
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/bin/gatherer", "/bin/true").replace("man:gatherer(1) ", ""))
    done = analyze("verify", str(copy))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
