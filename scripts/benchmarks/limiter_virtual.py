"""The share of N/W that each mode uses, and its 429s, in virtual time; then whole hours.

A million requests for each mode under an endless backlog: 40 ms there and back, exponential jitter of 10, 30
and 80 ms, lognormal server time, lost packets, stalls of a second. The real counting; see
`tests/limiter/saturation.py` for the model and `tests/limiter/servers.py` for who judges.
"""

import argparse

from scripts.benchmarks.report import Report
from tests.limiter.hours import HOUR_S, full_hours, share_of_the_hour
from tests.limiter.matrix import JITTERS_S, MODES, cells_of, run_cells
from tests.limiter.saturation import Outcome

HOUR = 36_000
HOUR_BAR = 0.999


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench limiter-virtual")
    parser.add_argument("--requests", type=int, default=1_000_000, help="for each mode")
    parser.add_argument("--seeds", type=int, default=4, help="for each jitter")
    parser.add_argument("--hours", type=int, default=3, help="full hours of one key")
    options = parser.parse_args(arguments)
    report = Report("limiter-virtual")
    rows = []
    for mode in MODES:
        outcomes = _of(mode, options, report)
        rows.append(_row(mode, outcomes))
    _hours(options.hours, report)
    report.details = {"options": vars(options)}
    print("\n".join([*_head(), *rows, ""]))
    return report.finish()


def _of(mode: str, options: argparse.Namespace, report: Report) -> dict[float, list[Outcome]]:
    outcomes: dict[float, list[Outcome]] = {jitter_s: [] for jitter_s in JITTERS_S}
    for cell, outcome in run_cells(cells_of(mode, requests=options.requests, seeds=options.seeds)):
        outcomes[cell.jitter_s].append(outcome)
    everything = [outcome for each in outcomes.values() for outcome in each]
    report.add(f"{mode}: requests", sum(outcome.requests for outcome in everything), at_least=options.requests)
    report.add(f"{mode}: 429s", sum(sum(outcome.refused.values()) for outcome in everything), at_most=0)
    for jitter_s, bar in zip(JITTERS_S, MODES[mode].bars, strict=True):
        used = _mean([outcome.utilisation for outcome in outcomes[jitter_s]])
        report.add(f"{mode}: % used at {jitter_s * 1000:.0f} ms", 100 * used, at_least=100 * bar)
    return outcomes


def _hours(hours: int, report: Report) -> None:
    simulation = full_hours(HOUR, hours)
    report.add("full hours: 429s", simulation.server.refused, at_most=0)
    report.add("full hours: most in an hour", simulation.server.peak("osint-1", HOUR_S), at_most=HOUR)
    report.add("full hours: % used", 100 * share_of_the_hour(simulation, HOUR), at_least=100 * HOUR_BAR)


def _head() -> list[str]:
    jitters = " | ".join(f"{jitter_s * 1000:.0f} ms" for jitter_s in JITTERS_S)
    return [f"| mode | {jitters} | requests | 429 | judged by |", "|---" * (len(JITTERS_S) + 4) + "|"]


def _row(mode: str, outcomes: dict[float, list[Outcome]]) -> str:
    shares = [
        f"{100 * _mean([o.utilisation for o in each]):.1f} (rule: {100 * _mean([o.expected for o in each]):.1f})"
        for each in outcomes.values()
    ]
    everything = [outcome for each in outcomes.values() for outcome in each]
    requests = sum(outcome.requests for outcome in everything)
    refused = sum(sum(outcome.refused.values()) for outcome in everything)
    return f"| {mode} | {' | '.join(shares)} | {requests:,} | {refused} | {', '.join(everything[0].refused)} |"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
