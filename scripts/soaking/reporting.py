"""The report of a soak, for docs/soak.md and for whoever reads the log."""

import platform
import sqlite3
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.benchmarks.manners import most
from scripts.soaking.audits import rows
from scripts.soaking.audits.memory import LEAST_SAMPLES, gained
from scripts.soaking.course import Seen

HEADING = "## The last run"


def report(seen: Seen, verdicts: Mapping[str, list[str]], seconds: float) -> str:
    """Return Markdown: what was done, what was seen, what the audits say."""
    return "\n".join(
        [*_head(seen, seconds), "", *_figures(seen), "", *_faults(seen), "", *_memory(seen), "", *_audits(verdicts), ""]
    )


def put(path: Path, text: str) -> None:
    """Replace what stands below the document's HEADING; make the document when there is none."""
    before = path.read_text().partition(HEADING)[0] if path.exists() else ""
    path.write_text(f"{before.rstrip()}\n\n{HEADING}\n\n{text}".lstrip())


def _head(seen: Seen, seconds: float) -> Iterator[str]:
    plan = seen.plan
    minutes, machine = f"{plan.seconds / 60:g}", f"{platform.machine()}, Python {platform.python_version()}"
    command = f"scripts/soak --minutes {minutes} --seed {plan.seed}"
    yield f"{time.strftime('%Y-%m-%d')}, `{command}`, load {plan.load:g}, {machine}:"
    yield f"{minutes} minutes of faults, {seconds / 60:.1f} in all."


def _figures(seen: Seen) -> Iterator[str]:
    with sqlite3.connect(f"file:{seen.broken}/state/gatherer.db?mode=ro", uri=True) as database:
        states = dict(database.execute("SELECT state, count(*) FROM jobs GROUP BY state"))
    requests = sum(map(len, seen.arrivals.values()))
    yield "| figure | value |"
    yield "|---|---|"
    yield f"| jobs acknowledged; offers refused or unanswered | {len(seen.ledger):,}; {seen.ledger.refused:,} |"
    yield f"| jobs at the end | {', '.join(f'{n:,} {state}' for state, n in sorted(states.items()))} |"
    yield f"| requests that the API counted | {requests:,} |"
    second, hour = most(seen.arrivals, 1.0), most(seen.arrivals, 3600.0)
    yield f"| most requests of a key in any second, hour | {second}, {hour:,} |"
    yield f"| rows compared | {', '.join(f'{n:,} {table}' for table, n in rows.count(seen.broken / 'state').items())} |"
    yield f"| pages and answers read for secrets; bytes in all | {seen.pages:,}; {seen.needles.searched:,} |"
    for who, took in seen.recovered_s.items():
        if took:
            what = "first permit" if who == "supervisor" else "answers again"
            yield f"| {who} killed, {what}: median, worst of {len(took)} | {_spread(took)} |"
    if seen.gone_after_s:
        yield f"| supervisor killed, all its processes gone: median, worst | {_spread(seen.gone_after_s)} |"
    yield f"| settled after each half | {', '.join(f'{each:.0f} s' for each in seen.settled_s)} |"


def _spread(took: list[float]) -> str:
    return f"{statistics.median(took):.2f} s, {max(took):.2f} s"


def _faults(seen: Seen) -> Iterator[str]:
    yield "| fault | times |"
    yield "|---|---|"
    for name, times in sorted(seen.done.items()):
        yield f"| {name} | {times:,} |"


def _memory(seen: Seen) -> Iterator[str]:
    yield "| process that lived through the second half | private memory, first and last | gained by its slope |"
    yield "|---|---|---|"
    for name, samples in sorted(seen.memory.items()):
        if len(samples) >= LEAST_SAMPLES:
            first, last = samples[0][1], samples[-1][1]
            yield f"| {name.partition('/')[0]} | {first:.1f}, {last:.1f} MB | {gained(samples):+.2f} MB |"


def _audits(verdicts: Mapping[str, list[str]]) -> Iterator[str]:
    yield "| what must hold | findings |"
    yield "|---|---|"
    for name, findings in verdicts.items():
        yield f"| {name} | {len(findings) or 'none'} |"
