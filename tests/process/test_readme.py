"""README's commands, run as a reader would run them.

Every line of every shell block is run, in order, in a copy of the project with a home of its own, but for those
in NOT_RUN. Real keys are the one thing that a test has not: between `init` and `check` the reader's hand puts in
credentials, and this one's also the addresses of the simulated API.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from supervisor.cli.calling import Daemon
from supervisor.cli.main import ENTRIES
from supervisor.core.errors import UnavailableError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

NOT_RUN = {
    "sudo apt-get install --yes python3-venv": "changes the machine, not us",
    "./scripts/build": "tests/packaging builds and tests what it makes",
    "sudo apt install ./dist/gatherer_*_amd64.deb": "tests/packaging installs it on a machine of its own",
    "./scripts/test": "would run this test; that CI calls it is tested below",
}
DEMO = "./scripts/run"
START = "./scripts/run --config ~/gatherer/config.toml"
RELOAD = 'kill -HUP "$(cat ~/gatherer/var/supervisor.lock)"'
EXAMPLE_ENTITY = "eu/silvermoon/zoé"

DEMO_WITHIN_S = 150.0
START_WITHIN_S = 40.0
COMMAND_WITHIN_S = 40.0
DRAIN_WITHIN_S = 45.0

# Runs a command that the kernel kills when we are killed; in a child, because a test's process may have threads.
MORTAL = "import os, sys; from supervisor.core.program import die_with_parent; die_with_parent(int(sys.argv[1]))"
MORTAL += "; os.execvp(sys.argv[2], sys.argv[2:])"


def blocks() -> list[list[str]]:
    """Return the command lines of each shell block of README."""
    found = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [[line for line in block.splitlines() if line and not line.startswith("#")] for block in found]


def story() -> list[str]:
    """Return the lines that are run one after another: all but the demo and those that are not run."""
    return [line for block in blocks() for line in block if line != DEMO and line not in NOT_RUN]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody with a copy of the project and a home."""

    folder: Path
    home: Path

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        # The environment's `gatherer` may be an editable one of elsewhere: the copy goes before it.
        return kept | {"HOME": str(self.home), "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}

    @contextmanager
    def started(self, line: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """Run `line` while the block lasts; what it leaves is killed."""
        command = [sys.executable, "-c", MORTAL, str(os.getpid()), "sh", "-c", f"exec {line}"]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(DRAIN_WITHIN_S)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def run(self, script: str, log: Path) -> str:
        """Run a short command to its end and return what it printed; it must succeed."""
        log.write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader whose home has a short path, since sockets lie in it."""
    folder = tmp_path / "gatherer"
    for name in names_of_project():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    borrow_environment(folder)
    with tempfile.TemporaryDirectory(prefix="gatherer-") as home:
        yield Reader(folder, Path(home))


def names_of_project() -> list[str]:
    """Return the files that a clone would have, and those that are yet to be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]  # one may be deleted and not yet committed


def borrow_environment(folder: Path) -> None:
    """Make a .venv that uses the packages of the present one; without a present one scripts/setup makes its own.

    Not a link to the whole: setup would then install the copy into it, for everybody.
    """
    if sys.prefix == sys.base_prefix:
        return
    venv = folder / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    shutil.copy2(Path(sys.prefix) / "pyvenv.cfg", venv)
    for name in ("lib", "lib64"):
        if (Path(sys.prefix) / name).exists():
            (venv / name).symlink_to(Path(sys.prefix) / name)
    command = venv / "bin" / "gatherer"
    command.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m supervisor.cli "$@"\n')
    command.chmod(0o755)
    (venv / "installed-plain").touch()


# --- what README says is what is tested -------------------------------------------------------


def test_every_excuse_is_for_a_line_that_readme_has() -> None:
    lines = [line for block in blocks() for line in block]
    assert [line for line in (*NOT_RUN, DEMO, START, RELOAD) if line not in lines] == []


def test_readme_shows_commands_only_in_shell_blocks() -> None:
    """So that none escapes the tests: other blocks are pictures."""
    others = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert [body for kind, body in others if kind != "sh" and re.search(r"^\s*(\./scripts/|gatherer \w)", body)] == []


def test_ci_runs_the_test_command_of_readme() -> None:
    assert "scripts/test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / "scripts" / "test", os.X_OK)


def test_every_gatherer_command_in_readme_has_help() -> None:
    known = {entry.name for entry in ENTRIES}
    named = set(re.findall(r"(?:\./scripts/run|`gatherer|^gatherer) ([a-z]+(?:-[a-z]+)*)", README, re.MULTILINE))
    assert named - known == set()
    for name in sorted(named):
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.cli", name, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
        assert (done.returncode, "Usage" in done.stdout or "usage" in done.stdout) == (0, True), name


@pytest.mark.parametrize("name", ["config.toml", "development.toml", "production.toml"])
def test_shipped_configuration_passes_check(name: str) -> None:
    """demo.toml is no configuration before the demo puts the simulator's addresses in."""
    text = (ROOT / "config" / name).read_text(encoding="utf-8")
    secrets = dict.fromkeys(re.findall(r'^client_secret_env = "(\w+)"', text, re.MULTILINE), "hush")
    done = subprocess.run(
        [sys.executable, "-m", "supervisor.cli", "check", "--config", f"config/{name}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **secrets},
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# --- the commands -----------------------------------------------------------------------------


@pytest.mark.timeout(240)
def test_the_demo_ends_well_and_shows_no_429(reader: Reader, tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    with reader.started(DEMO, log) as demo:
        code = demo.wait(DEMO_WITHIN_S)
    shown = log.read_text(errors="replace")
    assert code == 0, shown
    assert re.search(r"^0 answers 429", shown, re.MULTILINE), shown
    assert re.search(r"^0 jobs lost", shown, re.MULTILINE), shown
    assert processes_of(reader.folder) == []


@pytest.mark.timeout(240)
def test_the_commands_work_from_init_to_export(reader: Reader, tmp_path: Path) -> None:
    lines = story()
    seen: dict[str, str] = {}
    exports: list[str] = []
    with ExitStack() as stack:
        addresses = stack.enter_context(simulator(reader, tmp_path))
        entity = an_entity(addresses["base_url"])
        (reader.folder / "names.csv").write_text(f"entity\n{entity}\n", encoding="utf-8")
        for number, line in enumerate(lines):
            log = tmp_path / f"{number}.log"
            if line == START:
                supervisor = stack.enter_context(reader.started(line, log))
                wait_until_ready(reader.home / "gatherer" / "var" / "run", supervisor, log)
            elif line.startswith("export "):
                exports.append(line)
            else:
                seen[line] = reader.run("\n".join([*exports, line.replace(EXAMPLE_ENTITY, entity)]), log)
            if " init " in line:
                put_in_credentials(reader.home / "gatherer", addresses)
        supervisor.terminate()
        assert supervisor.wait(DRAIN_WITHIN_S) == 0
        judged = statistics(addresses["base_url"])
    assert "done" in of(seen, "refresh")
    assert entity in of(seen, "gatherer show")
    assert "accepted" in of(seen, "gatherer enqueue")
    assert "eu-1: works" in of(seen, "keys verify")
    assert "characters" in of(seen, "run status")
    exported = (reader.folder / "characters.csv").read_text(encoding="utf-8")
    assert entity.rpartition("/")[2] in exported
    assert "config_applied" in (tmp_path / f"{lines.index(START)}.log").read_text()
    assert [client["by_status"].get("429", 0) for client in judged["clients"].values()] == [0]
    assert processes_of(reader.folder) == []


def of(seen: Mapping[str, str], words: str) -> str:
    """Return what the one command with these words has printed."""
    (found,) = (text for line, text in seen.items() if words in line)
    return found


@contextmanager
def simulator(reader: Reader, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Run a small simulated API; give its addresses."""
    log = tmp_path / "simulator.log"
    world = "--realms 4 --characters-per-realm 200 --auctions 200 --commodities 500 --leaderboard 20"
    with reader.started(f"{sys.executable} -m jobs.simulator --client account:hush {world}", log) as process:
        deadline = time.monotonic() + START_WITHIN_S
        while "\n" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield json.loads(log.read_text().splitlines()[0])


def an_entity(base_url: str) -> str:
    """Return a character that the simulated API has."""
    with urllib.request.urlopen(f"{base_url}/_simulator/characters?region=eu&limit=1", timeout=10) as answer:
        entity: str = json.load(answer)["entities"][0]
    body = json.dumps({"restore": [entity]}).encode()
    urllib.request.urlopen(f"{base_url}/_simulator/world", data=body, timeout=10).close()
    return entity


def statistics(base_url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{base_url}/_simulator/statistics", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def put_in_credentials(folder: Path, addresses: Mapping[str, str]) -> None:
    """Do what README says is left after `init`, and lead to the simulated API and a free port."""
    path = folder / "config.toml"
    text = path.read_text(encoding="utf-8").replace("replace-me-eu-1", "account")
    urls = f'base_url = "{addresses["base_url"]}"\ntoken_url = "{addresses["token_url"]}"\n'
    text = text.replace("[apis.blizzard]\n", f'[server]\nlisten = "127.0.0.1:0"\n\n[apis.blizzard]\n{urls}')
    path.write_text(text, encoding="utf-8")
    (folder / "eu-1.secret").write_text("hush\n")


def wait_until_ready(run_dir: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not is_ready(run_dir):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)


def is_ready(run_dir: Path) -> bool:
    try:
        return bool(Daemon(run_dir / "control.sock").get("/readyz", timeout_s=5.0)["ready"])
    except UnavailableError:
        return False


def processes_of(folder: Path) -> list[int]:
    """Return the pids of living processes that were started in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:  # gone meanwhile, a zombie, or not ours to look at
            continue
    return found
