"""What is pinned, and what is said of it."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.packaging.audit import judge
from tests.packaging.conftest import ROOT

LOCK = (ROOT / "scripts" / "packaging" / "lock.txt").read_text()
PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("dependency", PROJECT["dependencies"])
def test_each_dependency_is_pinned_within_what_pyproject_allows(dependency: str) -> None:
    requirement = Requirement(dependency)
    assert requirement.specifier.contains(PINNED[canonicalize_name(requirement.name)])


def test_every_pin_has_hashes_and_no_source_is_named() -> None:
    blocks = [block for block in re.split(r"(?m)^(?=\S)", LOCK) if block.strip()]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in LOCK


def test_audit_fails_for_an_affected_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert judge([{"name": "somelib", "version": "1.0", "vulns": [{"id": "CVE-1"}]}]) == 1
    assert "somelib 1.0: CVE-1" in capsys.readouterr().out


def test_audit_that_has_not_looked_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert judge([{"name": "somelib", "skip_reason": "not found"}]) == 0
    assert "SKIPPED audit of 1 of 1 packages: not found" in capsys.readouterr().out
