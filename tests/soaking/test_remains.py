"""A process, a file or a socket that a drain left makes the auditor of remains object."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from scripts.soaking.audits.remains import left_files, orphans
from scripts.soaking.audits.secrets import Needles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("state", "run", "temporary"):
        (tmp_path / name).mkdir()
    (tmp_path / "state" / "gatherer.db").touch()
    (tmp_path / "run" / "big-body.lock").touch()
    return tmp_path


def files(folder: Path) -> list[str]:
    return left_files(folder / "state", folder / "run", folder / "temporary", folder, ("state", "run", "temporary"))


def test_state_alone_is_no_finding(folder: Path) -> None:
    assert files(folder) == []


@pytest.mark.parametrize(
    "name", ["state/gatherer.db-wal", "state/x.tmp", "temporary/tmp123", "config.toml.fresh", "run/x"]
)
def test_file_that_has_no_business_there_is_found(folder: Path, name: str) -> None:
    (folder / name).touch()
    (finding,) = files(folder)
    assert finding.endswith(str(folder / name))


def test_socket_that_is_left_is_found(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "run" / "database.sock"))
    assert files(folder) == [f"socket left: {folder}/run/database.sock"]


def test_process_of_the_run_is_found_whoever_its_parent_is(tmp_path: Path) -> None:
    marker = f"{tmp_path}/temporary"
    assert orphans(marker) == []
    with subprocess.Popen(["sleep", "60"], env=os.environ | {"TMPDIR": marker}) as process:
        try:
            found = orphans(marker)
        finally:
            process.kill()
    assert found == [f"process {process.pid} (sleep) is still there after the drain"]


def test_secret_and_token_are_found_and_not_repeated(tmp_path: Path) -> None:
    needles = Needles(["hush-12345"])
    needles.search("a page", b"EU and hush are words")
    assert needles.findings == []
    needles.search("the log", b"Authorization: Bearer EU" + b"0123456789abcdef" * 2)
    (tmp_path / "rows.db").write_bytes(b"\0\0hush-12345\0")
    needles.search_files(tmp_path)
    assert needles.findings == [
        "the log shows EU01… (34 bytes) at byte 22",
        f"{tmp_path}/rows.db shows hush… (10 bytes) at byte 2",
    ]
