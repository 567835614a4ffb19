"""What the status says about each worker: too much waits, too slow, failing, dying, stale; and what helps.

Pure, as `diagnosis.py`.
"""

from collections.abc import Iterator

from supervisor.cli.diagnosis import Finding, Severity, Status
from supervisor.settings.units import say_duration

DEEP_QUEUE = 1000
"""The guide's threshold for waiting jobs. Background work is kept waiting on purpose and does not count."""
ENOUGH_OF_TARGET = 0.9
FAILING_SHARE = 0.1
FRESH_SHARE = 0.9


def findings_of_worker(name: str, worker: Status) -> Iterator[Finding]:
    """Yield what each check says about one worker of the status."""
    for check in (_queue, _throughput, _failures, _processes, _freshness, _absences, _brakes):
        yield from check(name, worker)


def _queue(name: str, worker: Status) -> Iterator[Finding]:
    waiting = worker.get("waiting", {})
    pressing = waiting.get("urgent", 0) + waiting.get("normal", 0)
    check = f"{name}: queue depth"
    if pressing <= DEEP_QUEUE:
        yield Finding(check=check, severity=Severity.OK, seen=f"{pressing:,} urgent and normal jobs wait")
        return
    per_s = worker["per_s"]
    eta = f", {say_duration(round(pressing / per_s))} of work" if per_s else ""
    why, fix = _remedy(name, worker)
    yield Finding(check=check, severity=Severity.WARNING, seen=f"{pressing:,} wait{eta}", why=why, fix=fix)


def _throughput(name: str, worker: Status) -> Iterator[Finding]:
    target, per_s = worker.get("target_per_s"), worker["per_s"]
    check = f"{name}: throughput"
    seen = f"{per_s:.1f} jobs/s" + (f" of {target:g}" if target else "")
    works = any(worker.get("waiting", {}).values())
    if not works or not target or per_s >= ENOUGH_OF_TARGET * target:
        yield Finding(check=check, severity=Severity.OK, seen=f"{seen}, limited by: {worker['limited_by']}")
        return
    why, fix = _remedy(name, worker)
    yield Finding(check=check, severity=Severity.WARNING, seen=seen, why=why, fix=fix)


def _remedy(name: str, worker: Status) -> tuple[str, str]:
    """Return why the worker is not faster, and what makes it so."""
    match worker["limited_by"]:
        case "paused":
            return "it is paused", f"gatherer resume {name}; or paused = false in the file"
        case "no replica":
            last = worker.get("last_exit", "")
            return f"no process of it is ready{f', the last ended by {last}' if last else ''}", "read the log"
        case "no key":
            return f"no usable key is tagged {worker.get('tag', '')!r}", "gatherer keys list"
        case "api down":
            return "its API does not answer", "wait: it is probed and used again by itself"
        case "hour":
            return (
                "its keys' hour binds: 36,000 an hour are 10 requests a second a key, and more concurrency is no help",
                "gatherer plan says how many keys the target needs",
            )
        case "second":
            return "its keys send all that a second allows", "gatherer plan says how many keys the target needs"
        case "database":
            return "commits take too long", "a faster disk, or fewer auctions at once"
        case "disk":
            return (
                "there is no room for what its jobs store",
                "make room on the disk of state_dir; it goes on by itself",
            )
        case "nothing to do":
            return "more was waiting a moment ago; now nothing does", ""
    return "every slot works, and the keys have room", f"gatherer scale {name} --concurrency +1 (or auto)"


def _failures(name: str, worker: Status) -> Iterator[Finding]:
    minute = worker.get("last_minute", {})
    failed, total = minute.get("failed", 0), minute.get("failed", 0) + minute.get("succeeded", 0)
    if total and failed > FAILING_SHARE * total:
        yield Finding(
            check=f"{name}: failures",
            severity=Severity.WARNING,
            seen=f"{failed} of {total} in the last minute: {minute.get('problem', '')}".rstrip(": "),
            why="they are tried again with growing delays, then discarded",
            fix=f"gatherer jobs list --worker {name} --state retryable",
        )


def _processes(name: str, worker: Status) -> Iterator[Finding]:
    if worker.get("degraded"):
        yield Finding(
            check=f"{name}: processes",
            severity=Severity.PROBLEM,
            seen=f"they keep ending, the last by {worker.get('last_exit')}",
            why="started again at growing intervals; the other workers are unharmed",
            fix="journalctl -u gatherer | grep replica_exited",
        )


def _freshness(name: str, worker: Status) -> Iterator[Finding]:
    ratio = worker.get("fresh_ratio")
    if ratio is not None and ratio < FRESH_SHARE:
        yield Finding(
            check=f"{name}: freshness",
            severity=Severity.WARNING,
            seen=f"{ratio:.0%} of {worker.get('known') or 0:,} are as fresh as [freshness.{name}] asks for",
            why="the keys' hours do not carry these tiers, or a backlog after an outage is being worked off",
            fix="gatherer plan; longer tiers or more keys",
        )


def _absences(name: str, worker: Status) -> Iterator[Finding]:
    if worker.get("purge_brake_since"):
        yield Finding(
            check=f"{name}: absences",
            severity=Severity.WARNING,
            seen="far more than usual are not found",
            why="nothing is hidden or deleted until that passes: it is usually the API that is wrong",
            fix=f"gatherer jobs list --worker {name} --outcome gone",
        )


def _brakes(name: str, worker: Status) -> Iterator[Finding]:
    for endpoint, brake in worker.get("braked", {}).items():
        yield Finding(
            check=f"{name}: {endpoint}",
            severity=Severity.WARNING,
            seen=f"its answers have an unknown shape for {say_duration(round(brake['for_s']))}",
            why="it is asked once a minute only; everything else goes on, and nothing of it is marked fresh",
            fix=f"update; then gatherer restart {name}, gatherer jobs retry --worker {name} --outcome unparsed",
        )
