"""All audits over what a soak saw and left."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from scripts.soaking.audits import jobs, limits, logs, memory, remains, rows
from scripts.soaking.course import Seen
from scripts.soaking.settings import PER_HOUR, PER_SECOND

KNOWN_FILES = ("config.toml", "supervisor.log", "simulator.log", "state", "run", "temporary", "diary")


def judge(seen: Seen) -> dict[str, list[str]]:
    """Return {what must hold: findings}; none is the good answer."""
    audits: dict[str, Callable[[Seen], list[str]]] = {
        "the course itself went as planned": _course,
        "no temporary file, no socket is left": _files,  # first: reading a database leaves SQLite's files beside it
        "every accepted job is completed, waits, or was discarded with a reason": _jobs,
        "no effect twice, none missing": _effects,
        "rows and history equal the run without faults": _rows,
        "history says nothing twice": lambda seen: rows.twice(_state(seen)),
        "no 429, no second and no hour over the limit": _limits,
        "no process outlives the drain": lambda seen: remains.orphans(seen.marker),
        "descriptors at rest are as many as before": lambda seen: memory.leaked(seen.before, seen.after),
        "memory is flat": _memory,
        "no secret and no token is shown or stored": _secrets,
        "the log is events, without a traceback": _log,
    }
    return {name: audit(seen) for name, audit in audits.items()}


def _course(seen: Seen) -> list[str]:
    """Object to what went unseen too: an audit of nothing finds nothing."""
    watched = {name.partition("/")[0] for name, samples in seen.memory.items() if len(samples) >= memory.LEAST_SAMPLES}
    unseen = [f"nobody watched the memory of the {role}" for role in ("supervisor", "database") if role not in watched]
    if not seen.pages:
        unseen.append("no page was read for secrets")
    if not len(seen.ledger):
        unseen.append("no job was acknowledged")
    return seen.findings + unseen


def _state(seen: Seen) -> Path:
    return seen.broken / "state"


def _jobs(seen: Seen) -> list[str]:
    with sqlite3.connect(f"file:{_state(seen)}/gatherer.db?mode=ro", uri=True) as database:
        return jobs.lost(database, seen.ledger.entries()) + jobs.strange(database)


def _effects(seen: Seen) -> list[str]:
    with sqlite3.connect(f"file:{_state(seen)}/gatherer.db?mode=ro", uri=True) as database:
        return jobs.effects(database)


def _rows(seen: Seen) -> list[str]:
    return rows.different(_state(seen), seen.unbroken / "state") + rows.empty(_state(seen))


def _limits(seen: Seen) -> list[str]:
    return limits.exceeded(seen.statistics, seen.arrivals, per_second=PER_SECOND, per_hour=PER_HOUR)


def _files(seen: Seen) -> list[str]:
    return remains.left_files(_state(seen), seen.broken / "run", seen.broken / "temporary", seen.broken, KNOWN_FILES)


def _memory(seen: Seen) -> list[str]:
    sizes = [(_state(seen) / name).stat().st_size for name in ("gatherer.db", "market.db")]
    return memory.growing(seen.memory, memory.page_cache(sizes)) + memory.large(seen.most_mb)


def _secrets(seen: Seen) -> list[str]:
    for folder in (_state(seen), seen.broken / "run"):
        seen.needles.search_files(folder)
    seen.needles.search("the log", (seen.broken / "supervisor.log").read_bytes())
    return seen.needles.findings


def _log(seen: Seen) -> list[str]:
    with (seen.broken / "supervisor.log").open(errors="replace") as log:
        return logs.accidents(log)
