"""One turn after the other: something breaks, or somebody edits. What, is up to the dice of the seed."""

import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import tomlkit

from scripts.benchmarks.breaking import broken_edits
from scripts.benchmarks.chaos import Chaos
from scripts.benchmarks.rescaling import Editor, any_edit
from scripts.benchmarks.system import System
from scripts.soaking.settling import query
from scripts.soaking.weather import Weather
from supervisor.core.errors import GathererError
from tests.support.proxy import FAIR, Proxy

TURN_EVERY_S = (0.4, 1.6)
EDITED = ("characters", "guilds", "profile", "items", "auctions", "index")
BROKEN_FOR_S = (0.5, 2.0)
HELD_FOR_S = (1.0, 4.0)
BACK_WITHIN_S = 60.0
NEVER_FREE = "900TB"

Turn = Callable[[], object]


class Breaker:
    """Breaks one system. chaos: what has died; edits, recovered_s: what else was done, and how long a return took."""

    def __init__(self, system: System, way: Proxy, weather: Weather, random: Random) -> None:
        self._system = system
        self._way = way
        self._weather = weather
        self._random = random
        self.path = system.folder / "config.toml"
        self._good = self.path.read_bytes()
        self.chaos = Chaos(system, way, random)
        self.editor = Editor(self.path, random)
        self.done = self.chaos.done
        self.recovered_s: dict[str, list[float]] = {"database": [], "supervisor": self.chaos.after_crash_s}

    def turns(self) -> dict[str, list[tuple[Turn, float]]]:
        """Return what may happen, by how deep it goes: (what, how often)."""
        chaos = self.chaos
        return {
            "below": [
                (chaos.kill_replica, 12),
                (chaos.stop_replica, 5),
                (chaos.hang_replica, 1),
                (lambda: chaos.stop_one("supervisor"), 1),
                (chaos.change_weather, 5),
                (chaos.hold, 3),
                (self._weather.change, 12),
                (self._weather.revoke, 2),
                (self.edit, 12),
                (self.save_broken, 4),
                (lambda: self.hold_setting(("workers", self._random.choice(EDITED)), "paused", True, False), 2),
                (lambda: self.hold_setting(("storage",), "min_free", NEVER_FREE, "100MB"), 1),
                (self.scale, 3),
                (self.restart_worker, 1),
            ],
            "parts": [
                (lambda: chaos.kill_one("zygote"), 2),
                (self.kill_database, 3),
                (lambda: chaos.stop_one("zygote"), 1),
                (lambda: chaos.stop_one("database"), 2),
            ],
            "whole": [(chaos.crash, 4), (chaos.crash_all, 2), (chaos.restart, 2)],
        }

    def keep_breaking(self, until: float, depths: tuple[str, ...]) -> None:
        """Take turns of these depths until then (monotonic seconds)."""
        turns = [turn for depth in depths for turn in self.turns()[depth]]
        while time.monotonic() < until:
            what = self._random.choices(*zip(*turns, strict=True))[0]
            with suppress(GathererError):  # it was just being broken, and says so
                what()
            time.sleep(self._random.uniform(*TURN_EVERY_S))

    def make_whole(self) -> None:
        """End every fault and write the first configuration, without its schedules."""
        self._way.weather = FAIR
        self._weather.clear()
        whole = tomlkit.parse(self._good.decode())
        whole.pop("schedules", None)
        self.editor.write(tomlkit.dumps(whole).encode())

    def begin_again(self) -> None:
        """Write the first configuration."""
        self.editor.write(self._good)
        self.editor.document = tomlkit.parse(self._good.decode())

    def edit(self) -> None:
        """Change a size, a weight, a target, a pool's environment, or what no process needs to know."""
        self.done["edits"] += 1
        _, table, name, value = any_edit(self._random, EDITED)
        if name not in ("jobs_completed", "level"):
            self.editor.set(table, name, value)

    def hold_setting(self, table: tuple[str, ...], name: str, value: object, after: object) -> None:
        """Change a setting for some seconds."""
        self.done[f"edits of {name}"] += 1
        self.editor.set(table, name, value)
        time.sleep(self._random.uniform(*HELD_FOR_S))
        self.editor.set(table, name, after)

    def save_broken(self) -> None:
        """Save a file that no configuration can be, and the good one a moment later."""
        self.done["broken files saved"] += 1
        good = self.path.read_bytes()
        judged = self._system.folder.parent / "judged" / "config.toml"
        judged.parent.mkdir(exist_ok=True)
        (broken,) = broken_edits(good, judged, 1, self._random)
        if broken.content is None:
            self.path.unlink()
        else:
            self.editor.write(broken.content)
        time.sleep(self._random.uniform(*BROKEN_FOR_S))
        self.editor.write(good)
        self.path.chmod(0o600)

    def scale(self) -> None:
        """Change a size over HTTP, which edits the file too."""
        self.done["sizes posted"] += 1
        worker, concurrency = self._random.choice(EDITED), self._random.randint(1, 4)
        self._system.daemon.post("/workers/concurrency", body={"worker": worker, "concurrency": concurrency})

    def restart_worker(self) -> None:
        """Have a pool's replicas replaced one by one."""
        self.done["pools restarted"] += 1
        self._system.daemon.post(f"/workers/{self._random.choice(EDITED)}/restart")

    def kill_database(self) -> None:
        """Kill it and wait until it answers again."""
        killed_at = time.monotonic()
        self.chaos.kill_one("database")
        while time.monotonic() < killed_at + BACK_WITHIN_S:
            with suppress(GathererError):
                self._system.daemon.get("/statistics", timeout_s=5.0)
                self.recovered_s["database"].append(time.monotonic() - killed_at)
                return
            time.sleep(0.02)


def wait_until_calm(system: System, deadline: float) -> str:
    """Return "" when every pool has the size of the file and nothing is to do; after `deadline` say what is not so."""
    written = Editor(system.folder / "config.toml", Random()).replicas()
    while unrest := _unrest(system, written):
        if time.monotonic() > deadline:
            return unrest
        time.sleep(0.2)
    return ""


def _unrest(system: System, written: dict[str, int]) -> str:
    # By the file, not by what the program wants: it may not have read the last edit yet.
    try:
        workers = system.daemon.get("/workers")["workers"]
    except GathererError as error:
        return str(error)
    for name, worker in workers.items():
        states = [each["state"] for each in worker["replicas"].values()]
        if states != ["ready"] * written[name]:
            return f"{name} should have {written[name]} replicas and has {states}"
    busy = "SELECT kind, state, count(*) FROM jobs WHERE state IN ('executing', 'available') GROUP BY 1, 2"
    return ", ".join(f"{n} {kind} {state}" for kind, state, n in query(system, busy))
