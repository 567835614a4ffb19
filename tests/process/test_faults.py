"""The whole program, broken in the ways that a night can bring; deeds (`scripts/benchmarks/packages`) are its jobs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
import tomli_w

from scripts.benchmarks import deeds, manners
from scripts.benchmarks.chaos import WEATHERS, Chaos, named
from scripts.benchmarks.deeds import Deeds
from scripts.benchmarks.recovery import only_deeds, settle
from scripts.benchmarks.system import System, gatherer

pytestmark = pytest.mark.slow

WITHIN_S = 60.0  # generous: the machine may be busy with other things
OFFLINE: dict[str, Any] = {
    "state_dir": "state",
    "run_dir": "run",
    "server": {"listen": "127.0.0.1:0"},
    "apis": {"nobody": {"auth": "none", "region": "eu", "base_url": "http://127.0.0.1:9"}},
    "keys": [{"name": "nobody", "api": "nobody", "tags": ["deeds"]}],
}
CLOCK = """
import time
real = time.time
def shifted():
    with open({file!r}) as offset:
        return real() + float(offset.read() or 0)
time.time = shifted
"""


def eventually(look: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s; last seen: {seen!r}"
        time.sleep(0.05)
    return seen


@contextmanager
def offline(folder: Path, **worker: Any) -> Iterator[tuple[System, Deeds]]:
    """A system whose jobs ask nobody."""
    settings = OFFLINE | {"workers": {"deeds": deeds.worker("deeds", **worker)}}
    with gatherer(folder, tomli_w.dumps(settings)) as system:
        yield system, Deeds(system)


def assert_all_done_once(work: Deeds) -> None:
    settle(work, WITHIN_S)
    assert set(work.states().values()) == {"completed"}
    assert work.lost() == set()
    effects, once, without = work.effects()
    assert (effects - once, without) == (0, 0)


def log(folder: Path) -> str:
    return (folder / "supervisor.log").read_text()


def test_job_that_kills_its_process_is_poison_and_the_others_are_unharmed(tmp_path: Path) -> None:
    with offline(tmp_path, replicas=3, concurrency=4) as (system, work):
        innocents = work.give(40, do="sleep", seconds=0.2)
        (killer,) = work.give(1, do="die", priority="urgent")
        settle(work, WITHIN_S)
        states = work.states()
        assert states.pop(killer) == "discarded"
        assert states == dict.fromkeys(innocents, "completed")
        outcome, crashes, error = system.query("SELECT outcome, crashes, error FROM jobs WHERE entity = ?", killer)[0]
        assert (outcome, crashes) == ("poison", 3)
        assert error.startswith("poison: crash 3 alone on deeds#")
        assert error.endswith("signal 9 (SIGKILL)")
        assert work.effects() == (40, 40, 0)
        assert "job_poisoned" in log(tmp_path)


def test_stopped_replica_and_stopped_database_are_replaced_and_a_heavy_replica_too(tmp_path: Path) -> None:
    """All three are seen within 15 to 20 s, so they share a test."""
    with offline(tmp_path, replicas=4, max_pss="64MB") as (system, work):
        work.give(1, do="keep")
        settle(work)
        (heavy,) = {line.pid for line in work.diary()}
        work.give(3, do="sleep", seconds=2.0)
        begun = eventually(lambda: [line for line in work.diary() if line.pid != heavy][:1])[0]
        (database,) = named(system, "database")
        os.kill(begun.pid, signal.SIGSTOP)
        database.suspend()
        eventually(lambda: [line for line in work.diary() if line.job == begun.job and line.pid != begun.pid])
        eventually(lambda: not {begun.pid, heavy} & {process.pid for process in named(system, "#")})
        work.give(20)
        assert_all_done_once(work)
        assert database.pid not in {process.pid for process in named(system, "database")}
        restarts = system.daemon.get("/workers")["workers"]["deeds"]["restarts"]
        assert restarts == {"hung": 1, "memory": 1}


def test_what_a_dead_one_left_in_the_folders_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "state").mkdir(mode=0o700)
    for name in ("control.sock", "database.sock"):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "run" / name))
    (tmp_path / "state" / "supervisor.lock").write_text(f"{os.getpid()}\n")  # a living process, but not of ours
    with offline(tmp_path, replicas=1) as (_, work):
        work.give(3)
        assert_all_done_once(work)


def test_kills_of_everything_under_load_lose_nothing_do_nothing_twice_and_cause_no_429(tmp_path: Path) -> None:
    with manners.bad_network(tmp_path, per_hour=0) as (world, way):
        with gatherer(tmp_path, only_deeds(manners.configuration(world, way, per_hour=0))) as system:
            work, chaos = Deeds(system), Chaos(system, way, Random(1))
            way.weather = WEATHERS[-2]
            with work.fed(do="ask"):
                for break_it in (
                    chaos.kill_replica,
                    lambda: chaos.kill_one("zygote"),
                    chaos.kill_replica,
                    lambda: chaos.kill_one("database"),
                    lambda: stand_still(system),
                    chaos.crash,
                    chaos.kill_replica,
                    chaos.crash_all,
                ):
                    done = len(work.diary())
                    break_it()
                    eventually(lambda done=done: len(work.diary()) >= done + 20)  # type: ignore[misc]  # mypy cannot type a default in a lambda
            assert sum(chaos.done.values()) == 7
            assert_all_done_once(work)
        assert manners.refused(world.statistics()) == 0
        assert manners.most(world.arrivals(), 1.0) <= manners.PER_SECOND


def stand_still(system: System) -> None:
    """Stop the supervisor for a moment. Longer is systemd's to notice: nothing of ours watches it."""
    supervisor = psutil.Process(system.process.pid)
    supervisor.suspend()
    time.sleep(2.0)
    supervisor.resume()


def test_clock_that_jumps_an_hour_frees_no_hour_and_ends_no_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time of day is Python's, shifted in every process of ours; the kernel's monotonic clock cannot jump."""
    per_hour = 150
    offset = tmp_path / "offset"
    offset.write_text("0")
    with manners.bad_network(tmp_path, per_hour=per_hour) as (world, way):
        (tmp_path / "sitecustomize.py").write_text(CLOCK.format(file=str(offset)))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with gatherer(tmp_path, only_deeds(manners.configuration(world, way, per_hour=per_hour))) as system:
            work = Deeds(system)
            work.give(2, do="sleep", seconds=3.0)
            work.give(100, do="ask")
            for jump_s in (3600, -3600):
                eventually(lambda: len(work.diary()) > 20)
                offset.write_text(str(jump_s))
                assert abs(system.daemon.get("/workers")["now"] - time.time() - jump_s) < 10.0
                work.give(100, do="ask")
            eventually(lambda: all(key["windows"][-1]["left"] == 0 for key in system.daemon.get("/keys")["keys"]))
            offset.write_text("3600")
            work.give(20)  # these ask nobody
            eventually(lambda: list(work.states().values()).count("completed") > 2 * per_hour - 50)
            assert work.lost() == set()
        assert len({line.job for line in work.diary()}) == len(work.diary())
        assert "leases_expired" not in log(tmp_path)
        assert manners.refused(world.statistics()) == 0
        assert manners.most(world.arrivals(), 3600.0) <= per_hour


def test_program_in_which_no_replica_gets_ready_ends_and_says_so(tmp_path: Path) -> None:
    package = tmp_path / "stuck"
    package.mkdir()
    (package / "manifest.toml").write_text('[stuck]\nentity = "region/word:name"\n')
    (package / "stuck.py").write_text("import time\ntime.sleep(600)\n")
    worker = {"job": "stuck.stuck", "path": str(tmp_path), "tag": "deeds"}
    config = tmp_path / "config.toml"
    config.write_text(tomli_w.dumps(OFFLINE | {"workers": {"stuck": worker}}))
    command = (
        "import sys; from pathlib import Path; from supervisor.daemon import main, standstill;"
        "standstill.STANDSTILL_S = 1.0; standstill.LOOK_EVERY_S = 0.2; sys.exit(main.run(Path(sys.argv[1]), {}))"
    )
    ended = subprocess.run([sys.executable, "-c", command, str(config)], capture_output=True, timeout=WITHIN_S)
    assert ended.returncode == 75
    assert b"no replica was ready" in ended.stderr
