"""The Debian package: the frozen folder, a unit, a first configuration, a manual page and completions."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
from importlib.metadata import distributions
from pathlib import Path

from scripts.packaging import manual, source
from supervisor.settings.starter import packaged

ARCHITECTURE = "amd64"
SCRIPTS = Path(__file__).with_name("maintainer")
BUILD_TOOLS = {"pip", "setuptools", "pyinstaller", "pyinstaller-hooks-contrib", "altgraph"}
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/gatherer",
    "zsh": "usr/share/zsh/vendor-completions/_gatherer",
    "fish": "usr/share/fish/vendor_completions.d/gatherer.fish",
}
CONTROL = """\
Package: gatherer
Version: {version}
Architecture: {architecture}
Maintainer: The Gatherer project <gatherer@localhost>
Installed-Size: {kibibytes}
Depends: libc6 (>= {glibc}), passwd, ca-certificates
Section: net
Priority: optional
Description: keeps World of Warcraft data fresh from the Blizzard API
 One supervisor runs as many processes as its configuration asks for, and sends
 every request that the API keys allow and not one more. Accepted work is not
 lost, whatever crashes or restarts.
"""


def pack(frozen: Path, root: Path, target: Path) -> Path:
    """Lay out the package in `root`, write it into the folder `target` and return its path."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(frozen, root / "opt/gatherer", symlinks=True)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/gatherer").symlink_to("/opt/gatherer/gatherer")
    _write(root / "usr/lib/systemd/system/gatherer.service", Path("config/gatherer.service").read_bytes())
    _write(root / "usr/share/gatherer/config.toml", packaged().encode())
    _write(root / "usr/share/man/man1/gatherer.1.gz", _gzip(manual.page().encode()))
    _write_documents(root / "usr/share/doc/gatherer")
    for shell, place in COMPLETIONS.items():
        _write(root / place, _completion(frozen / "gatherer", shell))
    _write_control(root)
    path = target / f"gatherer_{source.VERSION}_{ARCHITECTURE}.deb"
    environment = os.environ | {"SOURCE_DATE_EPOCH": source.committed_at()}
    command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z19", "--build", str(root), str(path)]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return path


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _write_documents(folder: Path) -> None:
    for document in (Path("docs/operations.md"), Path("CHANGELOG.md"), Path("config/config.toml")):
        _write(folder / document.name, document.read_bytes())
    for distribution in distributions():
        name = distribution.metadata["Name"]
        files = [file for file in distribution.files or () if re.search(r"licen[cs]e|copying|notice", file.name, re.I)]
        for file in files if name.lower() not in BUILD_TOOLS else ():
            if file.suffix != ".py":
                _write(folder / "licenses" / f"{name}-{file.name}", Path(str(file.locate())).read_bytes())


def _completion(program: Path, shell: str) -> bytes:
    environment = os.environ | {"_GATHERER_COMPLETE": f"{shell}_source"}
    return subprocess.run([program.absolute()], env=environment, capture_output=True, check=True).stdout


def _write_control(root: Path) -> None:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in root.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files)
    control = CONTROL.format(
        version=source.VERSION,
        architecture=ARCHITECTURE,
        kibibytes=sum(path.stat().st_size for path in files) // 1024,
        glibc=_glibc(files),
    )
    _write(root / "DEBIAN/control", control.encode())
    _write(root / "DEBIAN/md5sums", sums.encode())
    for script in SCRIPTS.iterdir():
        _write(root / "DEBIAN" / script.name, script.read_bytes(), mode=0o755)


def _glibc(files: list[Path]) -> str:
    """Return the newest version of the C library whose symbols any binary in the package asks for."""
    wanted = {int(n) for path in files for n in re.findall(rb"\0GLIBC_2\.(\d+)(?=\0)", path.read_bytes())}
    return f"2.{max(wanted)}"
