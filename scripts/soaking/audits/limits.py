"""No 429 of our making: the simulator's own count, and its log of arrivals counted once more."""

from typing import Any

from scripts.benchmarks.manners import most, refused


def exceeded(
    statistics: dict[str, Any], arrivals: dict[str, list[float]], *, per_second: int, per_hour: int
) -> list[str]:
    """Return what went over a limit. arrivals: moments (monotonic seconds) of each client's requests, in order."""
    findings = []
    if over := refused(statistics):
        findings.append(f"{over} requests were over a limit by the simulator's count")
    answered = sum(client["by_status"].get("429", 0) for client in statistics["clients"].values())
    if answered:
        findings.append(f"{answered} requests were answered 429")
    for span_s, limit in ((1.0, per_second), (3600.0, per_hour)):
        if (worst := most(arrivals, span_s)) > limit:
            findings.append(f"{worst} requests of a key within {span_s:g} s, allowed are {limit}")
    unlogged = sum(client["requests"] for client in statistics["clients"].values()) - sum(map(len, arrivals.values()))
    if unlogged:
        findings.append(f"{unlogged} requests are counted but not in the log of arrivals")
    return findings
