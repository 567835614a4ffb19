"""The Debian package under a real systemd: one machine and its operator's day, in order."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.machine import SIMULATOR, SIMULATOR_UNIT, Machine, booted, wait_until, why_not

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.skipif(bool(why_not()), reason=why_not())]

CONFIG = "/etc/gatherer/config.toml"
STATE = "/var/lib/gatherer"
# Shorter than the unit's 30 s, so that the test is; longer than any pause of a busy machine that tests in parallel.
DROP_IN = "[Service]\nWatchdogSec=10s\n"
ACCEPTED = 400


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine") / "files"
    folder.mkdir()
    with booted(folder) as machine:
        yield machine


@pytest.fixture(scope="module")
def newer_deb(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next version: one more migration."""
    folder = tmp_path_factory.mktemp("newer")
    root = folder / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, root], check=True)
    control = root / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*$", "Version: 99.0", control.read_text()))
    migration = root / "opt/gatherer/_internal/jobs/migrations/9999_later.sql"
    migration.write_text("CREATE TABLE later (x INTEGER) STRICT;\n")
    path = folder / "gatherer_99.0_amd64.deb"
    build: list[str | Path] = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", root, path]
    subprocess.run(build, stdout=subprocess.DEVNULL, check=True)
    return path


def is_ready(machine: Machine) -> bool:
    return bool(machine.status().get("ready"))


def replicas(machine: Machine) -> int:
    return int(machine.status()["workers"]["characters"]["effective"]["replicas"])


def jobs(machine: Machine, *more: str) -> dict[str, str]:
    """Return the state of every job that we enqueued, by entity; the service's own are background ones."""
    command = (
        "gatherer",
        "jobs",
        "list",
        "--worker",
        "characters",
        "--priority",
        "normal",
        "--limit",
        "5000",
        "--json",
    )
    text = machine.run(*command, *more)
    found = json.loads(text)
    return {job["entity"]: job["state"] for job in (found["jobs"] if isinstance(found, dict) else found)}


def unfinished(machine: Machine, accepted: set[str]) -> dict[str, str]:
    """Return what is not done yet, by entity; "lost" when nobody knows of it."""
    found = jobs(machine)
    states = {entity: found.get(entity, "lost") for entity in accepted}
    return {entity: state for entity, state in states.items() if state not in ("completed", "discarded")}


def edit(machine: Machine, expression: str) -> None:
    """Edit as people do: the file is replaced, its owner stays."""
    machine.run("sed", "-i", expression, CONFIG)
    assert machine.run("stat", "--format=%U:%a", CONFIG).strip() == "gatherer:640"


def test_package_installs_and_starts_nothing_yet(machine: Machine, deb: Path) -> None:
    machine.run("dpkg", "--install", machine.bring(deb))
    assert machine.show("ActiveState") == {"ActiveState": "inactive"}
    assert machine.run("stat", "--format=%U:%a", CONFIG).strip() == "gatherer:640"
    verified = machine.attempt("systemd-analyze", "verify", "/usr/lib/systemd/system/gatherer.service")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert re.match(r"gatherer \S+ \(commit ", machine.run("gatherer", "--version"))


def test_first_key_and_start(machine: Machine) -> None:
    machine.write("/run/systemd/system/simulator.service", SIMULATOR_UNIT)
    machine.write("/etc/systemd/system/gatherer.service.d/test.conf", DROP_IN)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "simulator.service")
    key = ("--key", "eu-1", "--client-id", "the-client", "--secret", "-")
    machine.run("gatherer", "init", "/etc/gatherer", *key, stdin=b"the-secret\n")
    assert machine.run("stat", "--format=%U:%a", "/etc/gatherer/keys.d/eu-1.secret").strip() == "gatherer:600"
    addresses = f'base_url = "{SIMULATOR}"\\ntoken_url = "{SIMULATOR}/oauth/token"\\nhour = "burst"'
    edit(machine, f's#^region = "eu"#&\\n{addresses}#')
    machine.run("systemctl", "enable", "--now", "gatherer.service")
    # Type=notify: started means that every replica was there.
    assert re.search(r"\b7 of 7 replicas ready", machine.show("StatusText")["StatusText"])
    wait_until(lambda: is_ready(machine))


def test_gathers_from_the_api(machine: Machine) -> None:
    characters = machine.characters(ACCEPTED)
    machine.run("gatherer", "enqueue", "characters", stdin="\n".join(characters).encode())
    wait_until(lambda: jobs(machine, "--outcome", "done"))
    entity = next(iter(jobs(machine, "--outcome", "done")))
    assert entity.split("/")[-1] in machine.run("gatherer", "show", entity)


def test_pool_follows_each_edit_of_the_file(machine: Machine) -> None:
    pid = machine.main_pid()
    edit(machine, "s/^replicas = 2/replicas = 4/")
    wait_until(lambda: replicas(machine), 4)
    edit(machine, "s/^replicas = 4/replicas = 3/")
    wait_until(lambda: replicas(machine), 3)
    assert machine.main_pid() == pid


def test_refused_edit_shows_in_systemctl_status(machine: Machine) -> None:
    edit(machine, "s/^replicas = 3/replicas = -3/")
    wait_until(lambda: machine.show("StatusText")["StatusText"].startswith("EDIT REFUSED: "))
    edit(machine, "s/^replicas = -3/replicas = 3/")
    wait_until(lambda: "REFUSED" not in machine.show("StatusText")["StatusText"])
    assert replicas(machine) == 3


def test_reload_keeps_the_process(machine: Machine) -> None:
    pid, generation = machine.main_pid(), machine.status()["config"]["generation"]
    machine.run("systemctl", "reload", "gatherer.service")
    wait_until(lambda: machine.status()["config"]["generation"] > generation)
    assert (machine.main_pid(), machine.show("ActiveState")["ActiveState"]) == (pid, "active")


def test_killed_supervisor_is_started_again_and_its_children_are_gone(machine: Machine) -> None:
    pid = machine.main_pid()
    machine.run("kill", "-KILL", str(pid))
    wait_until(lambda: machine.show("NRestarts", "ActiveState"), {"NRestarts": "1", "ActiveState": "active"})
    assert machine.main_pid() not in (0, pid)
    wait_until(lambda: is_ready(machine))
    children = machine.run("ps", "-e", "-o", "args").splitlines()
    parents = {found[1] for line in children if (found := re.search(r"--child database .*--parent (\d+)", line))}
    assert parents == {str(machine.main_pid())}


def test_hung_supervisor_is_found_by_the_watchdog(machine: Machine) -> None:
    machine.run("kill", "-STOP", str(machine.main_pid()))
    wait_until(lambda: machine.show("NRestarts", "ActiveState"), {"NRestarts": "2", "ActiveState": "active"})
    assert "Watchdog timeout" in machine.run("journalctl", "--unit=gatherer.service", "--no-pager")


def test_stop_drains(machine: Machine) -> None:
    machine.run("systemctl", "stop", "gatherer.service")
    ended = machine.show("Result", "ExecMainStatus", "ActiveState")
    assert ended == {"Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"}
    assert "supervisor_stopped" in machine.run("journalctl", "--unit=gatherer.service", "--lines=20", "--no-pager")
    machine.run("systemctl", "start", "gatherer.service")


def test_backup_is_taken_while_it_runs_and_not_restored_then(machine: Machine) -> None:
    made = json.loads(machine.run("gatherer", "backup", "--json"))
    names = set(machine.run("find", made["folder"], "-type", "f", "-printf", "%P\n").split())
    assert {"gatherer.db", "market.db", "limiter.journal", "config/config.toml", "config/keys.d/eu-1.toml"} <= names
    assert not any(name.endswith(".secret") for name in names)
    refused = machine.attempt("gatherer", "restore", made["folder"])
    assert (refused.returncode, "runs here" in refused.stderr) == (1, True)


def test_upgrade_drains_backs_up_migrates_and_goes_on(machine: Machine, newer_deb: Path) -> None:
    before = jobs(machine)
    wait_until(lambda: any(worker["executing"] for worker in machine.status()["workers"].values()))
    machine.run("dpkg", "--install", machine.bring(newer_deb))
    assert machine.show("ActiveState")["ActiveState"] == "active"
    assert "99.0" in machine.run("dpkg-query", "--show", "gatherer")
    machine.run("gatherer", "export", "later")
    assert "before-migrations" in machine.run("ls", f"{STATE}/backups")
    assert set(before) <= set(jobs(machine))


def test_going_back_needs_the_backup_and_loses_nothing(machine: Machine, deb: Path) -> None:
    backup = machine.run("sh", "-c", f"ls -d {STATE}/backups/*-before-migrations").split()[-1]
    # The old program refuses the newer database, and systemd does not try it again and again.
    machine.run("dpkg", "--install", f"/root/{deb.name}")
    wait_until(lambda: machine.show("ActiveState", "ExecMainStatus"), {"ActiveState": "failed", "ExecMainStatus": "78"})
    assert "newer than this program" in machine.run("journalctl", "--unit=gatherer.service", "--no-pager", "--lines=30")
    machine.run("gatherer", "restore", backup)
    machine.run("systemctl", "restart", "gatherer.service")
    wait_until(lambda: is_ready(machine))
    edit(machine, "s/^replicas = 3/replicas = 6/")
    accepted = set(machine.characters(ACCEPTED))
    none: dict[str, str] = {}
    wait_until(lambda: unfinished(machine, accepted), none, within_s=240.0)
    # Through kills, a hang, an upgrade and a restore, by the count of the API.
    assert {client["by_status"].get("429", 0) for client in machine.simulator("statistics")["clients"].values()} == {0}


def test_remove_keeps_the_state_and_purge_deletes_it(machine: Machine) -> None:
    machine.run("dpkg", "--remove", "gatherer")
    assert machine.attempt("systemctl", "is-active", "gatherer.service").returncode != 0
    machine.run("test", "-e", f"{STATE}/gatherer.db", "-a", "-e", CONFIG)
    machine.run("dpkg", "--purge", "gatherer")
    left = machine.run("sh", "-c", f"ls -d /opt/gatherer /etc/gatherer {STATE} /usr/bin/gatherer 2>/dev/null || true")
    assert left == ""
    assert machine.attempt("getent", "passwd", "gatherer").returncode != 0
