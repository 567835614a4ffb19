"""What this machine must have to build, for the build itself and for tests that cannot do without."""

import shutil
import sysconfig
from pathlib import Path

TOOLS = {"git": "git", "objdump": "binutils", "dpkg-deb": "dpkg", "tar": "tar", "gzip": "gzip"}


def missing() -> list[str]:
    """Return what is missing, with the package of Debian that brings it."""
    found = [f"{tool} (package {package})" for tool, package in TOOLS.items() if not shutil.which(tool)]
    library = sysconfig.get_config_var("INSTSONAME") or ""
    if not (Path(sysconfig.get_config_var("LIBDIR") or "/") / library).is_file():
        found.append(f"{library}, Python's shared library (package {library.partition('.so')[0]})")
    if not (Path(__file__).parents[2] / ".git").exists():
        found.append("a git checkout: version and time of the packages are its commit's")
    return found
