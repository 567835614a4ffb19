"""Break a running system at random, and note what was done.

What a turn may bring, below the supervisor: SIGKILL or SIGSTOP of a replica, another weather on the way to the API,
a pause of it. Above it: kill -9 of the supervisor and a start in the same breath, or a clean restart.
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

import psutil

from scripts.benchmarks.system import System, is_alive, name_of
from supervisor.core.errors import GathererError
from supervisor.limiter.dispatcher import TOKEN_WORKER
from supervisor.limiter.permit import EARLIER_WORKER
from tests.support.proxy import FAIR, MOST_HOLD_S, Proxy, Weather

GONE_WITHIN_S = 5.0
FIRST_WITHIN_S = 60.0
STOPPED_S = (0.1, 2.5)
WEATHERS = (
    FAIR,
    Weather(delay_s=(0.0, 0.02)),
    Weather(delay_s=(0.02, 0.4)),
    Weather(delay_s=(0.0, 0.05), drop=0.02, lose=0.02),
    Weather(delay_s=(0.0, 0.05), cut=0.05),
)


class Chaos:
    """Breaks `system`. done: how often what. after_crash_s, after_restart_s: from start to the first permit."""

    def __init__(self, system: System, way: Proxy, random: Random) -> None:
        self._system = system
        self._way = way
        self._random = random
        self.done: Counter[str] = Counter()
        self.after_crash_s: list[float] = []
        self.after_restart_s: list[float] = []
        self.gone_after_s: list[float] = []
        self._turns: list[tuple[Callable[[], None], int]] = [
            (self.kill_replica, 4),
            (self.stop_replica, 3),
            (self.change_weather, 3),
            (self.hold, 2),
        ]

    def turn(self) -> None:
        """Do one thing below the supervisor."""
        actions, weights = zip(*self._turns, strict=True)
        self._random.choices(actions, weights)[0]()

    def kill_replica(self) -> None:
        """SIGKILL one replica."""
        for process in self._some_replica():
            self.done["replicas killed"] += 1
            process.kill()

    def stop_replica(self) -> None:
        """SIGSTOP one replica for a while: its permits are held, its answers lie unread."""
        for process in self._some_replica():
            self.done["replicas stopped"] += 1
            process.suspend()
            time.sleep(self._random.uniform(*STOPPED_S))
            process.resume()

    def hang_replica(self) -> None:
        """SIGSTOP one replica for good: it is missed by its heartbeat, killed and replaced."""
        for process in self._some_replica():
            self.done["replicas hung"] += 1
            process.suspend()

    def stop_one(self, role: str) -> None:
        """SIGSTOP a process with that name ("database", "zygote", "supervisor") for a while, if there is one."""
        for process in named(self._system, role)[:1]:
            self.done[f"{role}s stopped"] += 1
            process.suspend()
            time.sleep(self._random.uniform(*STOPPED_S))
            process.resume()

    def change_weather(self) -> None:
        """Have another weather on the way to the API."""
        self.done["weathers"] += 1
        self._way.weather = self._random.choice(WEATHERS)

    def hold(self) -> None:
        """Let nothing pass for a moment, then everything at once."""
        self.done["holds"] += 1
        self._way.hold(self._random.uniform(0.2, MOST_HOLD_S))

    def kill_one(self, role: str) -> None:
        """SIGKILL a process with that name ("database", "zygote"), if there is one."""
        for process in named(self._system, role)[:1]:
            self.done[f"{role}s killed"] += 1
            process.kill()

    def crash(self) -> float:
        """Kill -9 the supervisor and start it in the same breath; return that moment at its first permit."""
        self.done["supervisors killed"] += 1
        return self._kill_and_start(self._system.processes()[:1])

    def crash_all(self) -> float:
        """Kill -9 every process at once, then as `crash`."""
        self.done["everything killed"] += 1
        return self._kill_and_start(self._system.processes())

    def _kill_and_start(self, victims: list[psutil.Process]) -> float:
        family = self._system.processes()
        killed_at = time.monotonic()
        for process in victims:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._system.process.wait()
        started_at = time.monotonic()
        self._system.start()
        self.gone_after_s.append(wait_until_gone(family) - killed_at)
        self._note_first_permit(self.after_crash_s, started_at)
        return started_at

    def restart(self) -> None:
        """Drain the supervisor and start it in the same breath; return at its first permit."""
        self.done["clean restarts"] += 1
        self._system.stop()
        started_at = time.monotonic()
        self._system.start()
        self._note_first_permit(self.after_restart_s, started_at)

    def _note_first_permit(self, noted: list[float], started_at: float) -> None:
        moment = self.first_permit()
        if moment is not None:
            noted.append(moment - started_at)

    def first_permit(self) -> float | None:
        """Wait until a replica's permit has been used, tokens aside; return that moment (monotonic).

        None: no key has anything left of its hour. Asked of the supervisor: what the API sees first may be what dead
        replicas had sent.
        """
        deadline = time.monotonic() + FIRST_WITHIN_S
        while time.monotonic() < deadline:
            with suppress(GathererError):
                keys = self._system.daemon.get("/keys")["keys"]
                if any(set(key["statuses"]) - {TOKEN_WORKER, EARLIER_WORKER} for key in keys):
                    return time.monotonic()
                if all(key["windows"][-1]["per_s"] > 1 and not key["windows"][-1]["left"] for key in keys):
                    return None
            time.sleep(0.05)
        raise SystemExit(f"no permit within {FIRST_WITHIN_S:g} s; see {self._system.folder}/supervisor.log")

    def _some_replica(self) -> list[psutil.Process]:
        replicas = replicas_of(self._system)
        return [self._random.choice(replicas)] if replicas else []


def replicas_of(system: System) -> list[psutil.Process]:
    """Return the living replicas of a supervisor that may be starting or ending."""
    return named(system, "#")


def named(system: System, part: str) -> list[psutil.Process]:
    """Return the living processes of the system whose name has this part; none when it is not running."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for process in system.processes():
            with suppress(psutil.NoSuchProcess):
                if part in name_of(process) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
    return found


def wait_until_gone(family: list[psutil.Process]) -> float:
    """Wait until none of the processes does anything; return that moment (monotonic)."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while any(is_alive(process) for process in family):
        if time.monotonic() > deadline:
            left = [process for process in family if is_alive(process)]
            raise SystemExit(f"still there after {GONE_WITHIN_S:g} s: {left}")
        time.sleep(0.01)
    return time.monotonic()
