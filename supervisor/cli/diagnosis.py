"""What the status of a running Gatherer says about its health: the guide's Troubleshooting, judged on live numbers.

Pure: a status in (`control/status.py`), findings out, the worst first. Nothing is asked and nothing changed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

from supervisor.settings.units import say_duration

Status: TypeAlias = dict[str, Any]

SLOW_COMMIT_S = 0.25
USABLE = ("ok", "probing")


class Severity(IntEnum):
    """How bad. PROBLEM: something does not work now. WARNING: it works, but not as well as it should."""

    PROBLEM = 0
    WARNING = 1
    OK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check's result. seen: the numbers. why: why that matters. fix: a command or what to change; "" when well."""

    check: str
    severity: Severity
    seen: str
    why: str = ""
    fix: str = ""


def findings_of_program(status: Status) -> Iterator[Finding]:
    """Yield what the checks of the whole program say; those of each worker are in `ailments.py`."""
    for check in (_readiness, _configuration, _keys, _refusals, _hosts, _database):
        yield from check(status)


def _readiness(status: Status) -> Iterator[Finding]:
    reasons = status.get("reasons_not_ready", [])
    seen = "; ".join(reasons) or f"ready, up {say_duration(status.get('uptime_s', 0))}"
    if reasons:
        fix = "wait a few seconds after a start; else read the log: journalctl -u gatherer -n 50"
        yield Finding(
            check="ready", severity=Severity.PROBLEM, seen=seen, why="no work is done as long as this holds", fix=fix
        )
    else:
        yield Finding(check="ready", severity=Severity.OK, seen=seen)


def _configuration(status: Status) -> Iterator[Finding]:
    config = status["config"]
    reload = config["last_reload"]
    if reload["ok"]:
        yield Finding(check="configuration", severity=Severity.OK, seen=f"generation {config['generation']} in force")
    else:
        yield Finding(
            check="configuration",
            severity=Severity.PROBLEM,
            seen="; ".join(reload["errors"]),
            why="the last edit is not in force; what was before it still is",
            fix="correct that line and save; gatherer check says what is left",
        )
    for setting in config.get("needs_restart", []):
        yield Finding(
            check="configuration",
            severity=Severity.WARNING,
            seen=setting,
            why="only a restart can follow it",
            fix="systemctl restart gatherer",
        )


def _keys(status: Status) -> Iterator[Finding]:
    out = [key for key in status["keys"] if key["state"] not in USABLE]
    for key in out:
        fix = f"gatherer keys verify {key['name']}; a new secret goes into its file and is used at once"
        if key["state"] == "parked":
            fix = "it comes back by itself; when it recurs another program uses the key: use = 0.5"
        if key["state"] == "disabled":
            fix = f"gatherer keys enable {key['name']}"
        others = [other for other in status["keys"] if set(other["tags"]) & set(key["tags"]) and other not in out]
        yield Finding(
            check=f"key {key['name']}",
            severity=Severity.WARNING if others else Severity.PROBLEM,
            seen=f"{key['state']}: {key['reason']}".rstrip(": "),
            why=f"{len(others)} other keys serve its tags" if others else "nothing else serves its tags",
            fix=fix,
        )
    if not out:
        yield Finding(check="keys", severity=Severity.OK, seen=f"all {len(status['keys'])} can be used")


def _refusals(status: Status) -> Iterator[Finding]:
    refused = {key["name"]: n for key in status["keys"] if (n := _answers(key, "429"))}
    if not refused:
        yield Finding(check="rate limit errors", severity=Severity.OK, seen="no 429 since the start")
        return
    total = sum(_answers(key) for key in status["keys"])
    yield Finding(
        check="rate limit errors",
        severity=Severity.WARNING,
        seen=f"{sum(refused.values())} of {total} answers were 429 (" + ", ".join(map(_each, refused.items())) + ")",
        why="Gatherer stays below each limit, so somebody else spends these keys, or their limit is lower",
        fix="find the other program, or give the key a share: use = 0.5 under [[keys]]; concurrency does not matter",
    )


def _each(item: tuple[str, int]) -> str:
    return f"{item[0]}: {item[1]}"


def _answers(key: Status, status: str | None = None) -> int:
    statuses = list(key.get("statuses", {}).values())
    if status is not None:
        return sum(counts.get(status, 0) for counts in statuses)
    return sum(n for counts in statuses for name, n in counts.items() if name.isdecimal())


def _hosts(status: Status) -> Iterator[Finding]:
    for host in status.get("hosts", []):
        if host["state"] == "down":
            yield Finding(
                check=f"API {host['host']}",
                severity=Severity.PROBLEM,
                seen=f"{host['failed']} of {host['of']} requests failed: {host['why']}",
                why="its jobs wait and spend no attempt; it is probed and used again when it answers",
                fix="nothing, unless other programs reach it: then base_url, DNS and this machine's network",
            )


def _database(status: Status) -> Iterator[Finding]:
    database = status.get("database", {})
    if database.get("state") != "ready":
        yield Finding(
            check="database",
            severity=Severity.PROBLEM,
            seen=f"{database.get('state')} {database.get('reason', '')}",
            why="no job is claimed or finished; finishes are kept and repeated",
            fix="read the log",
        )
        return
    if database.get("trouble"):
        yield Finding(
            check="storage",
            severity=Severity.PROBLEM,
            seen=database["trouble"],
            why="no job is claimed or finished; finishes are kept and repeated",
            fix='as it says; docs/operations.md, "When the disk is full"',
        )
    commit_s = database.get("commit_p99_s") or 0.0
    slow = commit_s > SLOW_COMMIT_S
    yield Finding(
        check="database",
        severity=Severity.WARNING if slow else Severity.OK,
        seen=f"commit p99 {commit_s * 1000:.0f} ms, {database.get('backlog') or 0} requests wait",
        why="every claim and finish waits for a commit" if slow else "",
        fix="a faster or less busy disk for state_dir" if slow else "",
    )
    disk = database.get("disk")
    if disk is None:
        return
    free = f"{disk['free_bytes'] / 1e9:.1f} GB free, min_free {disk['min_free_bytes'] / 1e9:.1f} GB"
    if disk["bulk_stopped"]:
        stopped = "auctions and background work" if disk["background_stopped"] else "auctions"
        yield Finding(
            check="disk",
            severity=Severity.PROBLEM,
            seen=free,
            why=f"{stopped} stopped; results and queue never do",
            fix="make room, or lower [retention] auctions; it resumes by itself",
        )
    else:
        yield Finding(check="disk", severity=Severity.OK, seen=free)
