"""The documents: every file and module they name exists, every package has its place, and the example works."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.core.job import ClaimedJob, Done, Gone, Outcome
from supervisor.database import migrations, packages
from supervisor.settings.reading import load
from supervisor.worker.main import load as load_job
from tests.jobs.support import FakeWork, ScriptedApi, ok, status
from tests.support.clock import FakeClock
from tests.support.own_api import EXAMPLE, write_example

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/your-own-api.md",
    "docs/operations.md",
    "docs/soak.md",
)
BASES = (ROOT, ROOT / "supervisor")
# What scripts make: in a fresh clone it is not there.
MADE = ("bench-results", "dist", "var")
FILE = re.compile(r"(?<![\w./~:-])((?:[\w.-]+/)*[\w-]+\.(?:py|sql|md))\b")
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"\.?[\w-]+(?:/[\w.-]+)*/?")
BLOCK = re.compile(r"^```(?:\w+)? ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")
PLACE = re.compile(r"(?<![\w:.])/(?:work|home|root|tmp|mnt|shared)\b|\bshared/")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    return BLOCK.sub("", text_of(name))


def is_there(path: str) -> bool:
    return any((base / path).exists() for base in BASES)


def paths_in(name: str) -> Iterator[str]:
    """Yield file names anywhere, and quoted texts that start like a path of the repository."""
    yield from (found for found in FILE.findall(text_of(name)) if found.split("/")[0] != EXAMPLE)
    for quoted in QUOTED.findall(prose_of(name)):
        top = quoted.split("/")[0]
        if PATH.fullmatch(quoted) and "/" in quoted and top not in MADE and is_there(top):
            yield quoted


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_in_a_document_exists(document: str) -> None:
    assert [path for path in paths_in(document) if not is_there(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_in_a_document_exists(document: str) -> None:
    modules = re.findall(r"`((?:supervisor|jobs)(?:\.\w+)+)`", text_of(document))
    places = [ROOT.joinpath(*module.split(".")) for module in modules]
    assert [str(place) for place in places if not place.is_dir() and not place.with_suffix(".py").is_file()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_between_documents_leads_somewhere(document: str) -> None:
    dead = []
    for target, heading in LINK.findall(text_of(document)):
        if target.startswith("http"):
            continue
        headings = re.findall(r"^#+ (.*)$", text_of(target or document), re.MULTILINE)
        if heading and heading not in {text.lower().replace(" ", "-") for text in headings}:
            dead.append(f"{target}#{heading}")
    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_names_a_place_on_somebodys_machine(document: str) -> None:
    assert PLACE.findall(text_of(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_line_is_longer_than_a_screen(document: str) -> None:
    lines = [line for line in text_of(document).splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > 120] == []


def test_architecture_has_a_place_for_every_package() -> None:
    folders = [path.parent for top in ("supervisor", "jobs") for path in (ROOT / top).rglob("__init__.py")]
    names = {str(folder.relative_to(ROOT)) for folder in folders} - {"supervisor"}
    architecture = text_of("ARCHITECTURE.md")
    assert [name for name in sorted(names) if f"`{name}/`" not in architecture] == []


def test_architecture_names_every_table() -> None:
    tables: set[str] = set()
    for path in [*ROOT.glob("supervisor/**/*.sql"), *ROOT.glob("jobs/**/*.sql")]:
        tables.update(re.findall(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", path.read_text(), re.MULTILINE))
    architecture = text_of("ARCHITECTURE.md")
    assert [table for table in sorted(tables) if not re.search(rf"\b{table}\b", architecture)] == []


def test_architecture_has_the_floors_that_the_layering_test_holds() -> None:
    """By name: both lists change together, or this fails. What each may import stands in one place, the test."""
    layering = (ROOT / "tests" / "test_layering.py").read_text()
    packages_held = set(re.findall(r'^    "([\w.]+)": ', layering, re.MULTILINE)) - {"supervisor"}
    floors = text_of("ARCHITECTURE.md").split("## Packages and floors")[1].split("\n## ")[0]
    missing = [name for name in sorted(packages_held) if f"`{name.replace('.', '/')}" not in floors]
    assert missing == []


# --- the example of docs/your-own-api.md -------------------------------------------------------


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example's files; its configuration looks for the package here."""
    write_example(tmp_path)
    return tmp_path


@pytest.fixture
def stations(example: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A database with the example's table, and its package importable while the test lasts."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    package = packages.load(example / EXAMPLE)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(connection, package.name, package.migrations, now=0.0)
    yield connection
    connection.close()
    for module in [name for name in sys.modules if name.split(".")[0] == EXAMPLE]:
        del sys.modules[module]


def test_example_configuration_has_no_problem_and_no_warning(example: Path) -> None:
    config = load(example / EXAMPLE / "config.toml", environment={})
    assert (list(config.workers), list(config.warnings)) == (["stations"], [])


async def test_example_worker_stores_what_it_finds_and_what_is_gone(
    example: Path, stations: sqlite3.Connection, clock: FakeClock
) -> None:
    package = packages.load(example / EXAMPLE)
    api = ScriptedApi({"/stations/hilltop": [ok({"temperature": 21.5}), status(404)]})
    values = {"station": "hilltop", "now": clock.wall()}

    async def turn() -> Outcome:
        job = ClaimedJob(id=1, lease=1, worker="stations", entity="hilltop", parts={"station": "hilltop"})
        outcome = await load_job(f"{EXAMPLE}.stations", str(example))(job, FakeWork(api, clock))
        for effect in outcome.effects:
            package.statements[effect.statement].run(stations, [values | row for row in effect.rows])
        return outcome

    assert isinstance(await turn(), Done)
    assert package.statements["stations_show"].rows(stations, values)[0]["temperature"] == 21.5
    assert package.statements["stations_context"].rows(stations, values) == [{"success_at": clock.wall()}]
    assert isinstance(await turn(), Gone)
    due = {"due_before": clock.wall() + 1, "limit": 10}
    assert package.statements["stations_stale"].rows(stations, due) == []


def test_example_worker_imports_nothing_of_ours_but_the_sdk(example: Path) -> None:
    source = (example / EXAMPLE / "stations.py").read_text()
    assert set(re.findall(r"^(?:from|import) (supervisor[\w.]*|jobs[\w.]*)", source, re.MULTILINE)) == {
        "supervisor.worker.sdk"
    }


@pytest.mark.slow
def test_example_worker_passes_the_type_checker(example: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(example / "cache"), "stations.py"]
    done = subprocess.run(
        command,
        cwd=example / EXAMPLE,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
