"""A plan as tables and verdicts for a terminal.

    TAG    KEYS  BURST  LASTS  FOR EVER  BOUND BY  TARGETS NEED  KEYS NEEDED
    osint     5  500/s  6 min      50/s  1 h              266/s           27

    WORKER      REQ    TIME  SLOTS   BEST  BURST  EVER  1 KEY  TARGET  VERDICT
    characters    5  265 ms  5 × 2  5 × 3   37.7   5.7    1.1      50  missed

LEGEND explains the second; docs/capacity.md both.
"""

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from supervisor.cli.human import count, rate
from supervisor.settings.plan import Plan, TagPlan, WorkerPlan
from supervisor.settings.units import say_duration

LEGEND = (
    "[dim]REQ requests and TIME of a job; SLOTS replicas × concurrency, BEST the least that makes the keys the limit; "
    "jobs/s when all workers have endless work: in a BURST, for EVER, and for ever with 1 KEY a region.[/]"
)
VERDICTS = {
    "": "",
    "for ever": "[green]met[/]",
    "in a burst": "[yellow]burst only[/]",
    "missed": "[red]missed[/]",
}


def draw_plan(plan: Plan, path: str, *, latency_s: float, is_running: bool) -> list[RenderableType]:
    """Return what to print. latency_s: the assumed round trip; is_running: a daemon was asked."""
    return [
        escape(_heading(plan, path, latency_s, is_running)),
        "",
        tags_table(plan.tags),
        "",
        workers_table(plan),
        LEGEND,
        "",
        *map(escape, verdicts(plan)),
    ]


def tags_table(tags: tuple[TagPlan, ...]) -> Table:
    """Return one row for each tag: what its keys give, in requests a second."""
    table = table_of("TAG")
    for name in ("KEYS", "BURST", "LASTS", "FOR EVER", "BOUND BY", "TARGETS NEED", "KEYS NEEDED"):
        table.add_column(name, justify="right", no_wrap=True)
    for tag in tags:
        table.add_row(
            escape(tag.tag), str(len(tag.keys)), f"{rate(tag.burst_per_s)}/s",
            "always" if tag.burst_s is None else say_duration(tag.burst_s),
            f"{rate(tag.sustained_per_s)}/s", "–" if tag.binds_s is None else say_duration(tag.binds_s),
            f"{rate(tag.wanted_per_s)}/s" if tag.wanted_per_s else "–",
            str(tag.keys_needed) if tag.wanted_per_s and tag.keys_needed is not None else "–",
        )  # fmt: skip  # the cells in the order of the columns
    return table


def workers_table(plan: Plan) -> Table:
    """Return one row for each worker: what it will do, in jobs a second."""
    table = table_of("WORKER")
    for name in ("REQ", "TIME", "SLOTS", "BEST", "BURST", "EVER", "1 KEY", "TARGET", "VERDICT"):
        table.add_column(name, justify="left" if name == "VERDICT" else "right", no_wrap=True)
    for worker, lawful in zip(plan.workers, plan.one_key_per_region, strict=True):
        table.add_row(
            escape(worker.name), f"{worker.cost.requests:.3g}", _time(worker.cost.job_s),
            f"{worker.replicas} × {worker.concurrency}", f"{worker.replicas} × {worker.concurrency_needed}",
            rate(worker.burst_per_s), rate(worker.sustained_per_s), rate(lawful.sustained_per_s),
            "–" if worker.target_per_s is None else f"{worker.target_per_s:g}",
            "paused" if worker.limited_by == "paused" else VERDICTS[worker.target],
        )  # fmt: skip  # the cells in the order of the columns
    return table


def verdicts(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each thing to know or to do."""
    for worker in plan.workers:
        if worker.target in ("missed", "in a burst"):
            yield _missed(worker)
        elif worker.limited_by == "concurrency" and worker.concurrency_needed > worker.concurrency:
            yield f"{worker.name}: its slots are the limit. {_advice(worker)}"
    for tag in plan.tags:
        if tag.wanted_per_s > tag.sustained_per_s * (1 + 1e-9):
            yield _short(tag)
    granted = ", ".join(f"{rate(tag.granted_per_s)} for {tag.tag}" for tag in plan.tags)
    yield f"A burst is granted at {granted}: a request counts until a window after its answer."
    keys, regions = {key for tag in plan.tags for key in tag.keys}, len(plan.regions)
    if len(keys) > regions:
        yield (
            f"1 KEY: Blizzard's terms allow one client per region ({', '.join(plan.regions)}); "
            f"you have {len(keys)} keys for {regions} region{'' if regions == 1 else 's'}."
        )


def table_of(*columns: str) -> Table:
    """Return an empty table in the style of all commands."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _heading(plan: Plan, path: str, latency_s: float, is_running: bool) -> str:
    measured = [worker for worker in plan.workers if worker.cost.measured_jobs]
    nominal = f"nominal requests for each job, and {_time(latency_s)} for each request"
    if not measured:
        why = "it has ended too few jobs to measure" if is_running else "no running Gatherer was asked"
        return f"{path}, planned with {nominal} ({why})"
    jobs = ", ".join(f"{worker.name} ({count(worker.cost.measured_jobs)} jobs)" for worker in measured)
    rest = "" if len(measured) == len(plan.workers) else f"; the others with {nominal}"
    return f"{path}, planned with what was measured of {jobs}{rest}"


def _missed(worker: WorkerPlan) -> str:
    wanted = f"{worker.name}: {worker.target_per_s:g} jobs/s are wanted"
    lasting = f"the keys sustain {rate(worker.aimed_sustained_per_s)}"
    if worker.target == "in a burst":
        return f"{wanted}: done in a burst, but {lasting}."
    if worker.limited_by == "paused":
        return f"{wanted}, but it is paused."
    if worker.aimed_burst_per_s < worker.slots_per_s - 1e-6:
        return f"{wanted}: a burst of its keys does {rate(worker.aimed_burst_per_s)}, {lasting}."
    slots = f"its {worker.replicas * worker.concurrency} slots do {rate(worker.slots_per_s)}"
    return f"{wanted}: {slots}, {lasting}. {_advice(worker)}"


def _advice(worker: WorkerPlan) -> str:
    """Return what to write: as many slots as the keys can use, or as the target needs, if that is more."""
    for_target = math.ceil((worker.target_per_s or 0.0) * worker.cost.job_s / max(1, worker.replicas) - 1e-9)
    needed = max(worker.concurrency_needed, for_target)
    return f"Write concurrency = {needed} instead of {worker.concurrency}, or more replicas."


def _short(tag: TagPlan) -> str:
    needed = "" if tag.keys_needed is None else f": {tag.keys_needed} keys would, {len(tag.keys)} are there"
    return (
        f"{tag.tag}: the targets need {rate(tag.wanted_per_s)} requests/s; "
        f"the keys do not give more than {rate(tag.sustained_per_s)}/s for ever{needed}."
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else say_duration(seconds)
