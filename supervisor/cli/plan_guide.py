"""`gatherer plan --guide`: the worker concurrency guide's own numbers, calculated, and where they do not agree.

The guide plans with 70 of 100 requests a second for each key (use = 0.7) and the requests below for each
job; its sizes are those of config/development.toml and config/production.toml.
"""

import math

import msgspec
from rich.console import RenderableType
from rich.markup import escape

from supervisor.cli.human import rate
from supervisor.cli.plan_tables import table_of
from supervisor.settings import capacity, cost
from supervisor.settings.config import Config, Value
from supervisor.settings.cost import Cost
from supervisor.settings.plan import Plan, WorkerPlan
from supervisor.settings.plan import plan as plan_of
from supervisor.settings.reading import load
from supervisor.settings.shipped import FOLDER
from supervisor.settings.units import say_duration

USE = 0.7
MARGIN = 0.7
REQUESTS = {"characters": 4.0, "guilds": 2.0, "profile": 5.0, "items": 2.0, "auctions": 1.0}
PRODUCTION_CHARACTERS_PER_S = (100, 150)
ITEMS_PER_S = (8, 12)
QUEUE_LIMIT_PER_S = 75


class Figure(Value, frozen=True):
    """One figure of the guide beside ours; the guide cuts decimals off."""

    what: str
    calculation: str
    guide: float
    plan: float


class GuideReport(Value, frozen=True):
    """Figures that agree, and sentences about those that cannot."""

    figures: tuple[Figure, ...]
    contradictions: tuple[str, ...]


def against_the_guide() -> GuideReport:
    """Calculate the guide's page."""
    config = guide_config(USE)
    found = plan_of(config, guide_costs(config))
    return GuideReport(figures=tuple(_figures(found)), contradictions=tuple(_contradictions(config, found)))


def guide_config(use: float) -> Config:
    """Return the development environment with `use` of each key."""
    config = load(FOLDER / "development.toml", environment={}, with_secrets=False)
    apis = {name: msgspec.structs.replace(api, use=use) for name, api in config.apis.items()}
    return msgspec.structs.replace(config, apis=apis)


def guide_costs(config: Config) -> dict[str, Cost]:
    """Return nominal costs with the guide's requests."""
    costs = {name: cost.nominal(config, worker) for name, worker in config.workers.items()}
    return costs | {name: msgspec.structs.replace(costs[name], requests=each) for name, each in REQUESTS.items()}


def draw_guide(report: GuideReport) -> list[RenderableType]:
    """Return what to print."""
    table = table_of("GUIDE", "CALCULATION")
    for name in ("GUIDE SAYS", "PLAN SAYS"):
        table.add_column(name, justify="right")
    for figure in report.figures:
        table.add_row(escape(figure.what), escape(figure.calculation), f"{figure.guide:g}", f"{figure.plan:g}")
    sentences = [f"{number}. {escape(text)}" for number, text in enumerate(report.contradictions, 1)]
    return [table, "", "Where the guide contradicts itself, or leaves something out:", *sentences]


def _figures(found: Plan) -> list[Figure]:
    tags = {tag.tag: tag for tag in found.tags}
    workers = {worker.name: worker for worker in found.workers}
    osint, dma = tags["osint"], tags["dma"]
    return [
        Figure(what="OSINT requests/s", calculation="5 keys × 70", guide=350, plan=round(osint.burst_per_s, 6)),
        Figure(what="DMA requests/s", calculation="1 key × 70", guide=70, plan=round(dma.burst_per_s, 6)),
        *_pair(workers["characters"], "350 ÷ 4", 87.5, 61),
        Figure(
            what="  a replica",
            calculation="÷ 5",
            guide=12,
            plan=math.floor(workers["characters"].alone_per_s * MARGIN / workers["characters"].replicas),
        ),
        *_pair(workers["guilds"], "350 ÷ 2", 175, 122),
        *_pair(workers["items"], "70 ÷ 2", 35, 24),
        Figure(what="auctions/s", calculation="70 ÷ 1", guide=70, plan=round(workers["auctions"].alone_per_s, 6)),
    ]


def _pair(worker: WorkerPlan, calculation: str, most: float, safe: float) -> tuple[Figure, Figure]:
    safe_per_s = math.floor(worker.alone_per_s * MARGIN)
    return (
        Figure(what=f"{worker.name}/s", calculation=calculation, guide=most, plan=round(worker.alone_per_s, 6)),
        Figure(what="  with its margin", calculation="× 0.7", guide=safe, plan=safe_per_s),
    )


def _contradictions(config: Config, found: Plan) -> list[str]:
    workers = {worker.name: worker for worker in found.workers}
    osint = next(tag for tag in found.tags if tag.tag == "osint")
    return [
        _product(workers["characters"], osint.burst_per_s),
        _production(osint.burst_per_s, len(osint.keys)),
        _hour(config),
        f"The margin of 0.7 is taken twice: {osint.burst_per_s:g} is {USE:.0%} of the limit already, so 61 "
        f"characters/s are {USE * MARGIN:.0%} of it. The limiter needs neither: use = 1.0 is safe, because it counts "
        "each request until the API has forgotten it.",
        _shared(workers, osint.burst_per_s),
        _slots(workers["items"]),
        _keys(config),
        f"A queue's limiter of max {QUEUE_LIMIT_PER_S} counts jobs of that queue, not requests of a key: "
        f"{QUEUE_LIMIT_PER_S} characters are {QUEUE_LIMIT_PER_S * REQUESTS['characters']:g} requests, and every queue "
        "has its own.",
    ]


def _product(characters: WorkerPlan, have_per_s: float) -> str:
    claimed = 10 * characters.replicas * characters.concurrency
    return (
        f"10 characters/s × {characters.replicas} replicas × {characters.concurrency} concurrency is {claimed}, not "
        f"60; and {claimed} characters/s need {claimed * REQUESTS['characters']:g} requests/s of {have_per_s:g}."
    )


def _production(have_per_s: float, keys: int) -> str:
    least, most = (each * REQUESTS["characters"] for each in PRODUCTION_CHARACTERS_PER_S)
    return (
        f"{PRODUCTION_CHARACTERS_PER_S[0]}–{PRODUCTION_CHARACTERS_PER_S[1]} characters/s in production need "
        f"{least:g}–{most:g} requests/s; {keys} keys give {have_per_s:g} by the guide, {have_per_s / USE:g} at most."
    )


def _hour(config: Config) -> str:
    key = guide_config(1.0).keys[0]
    whole = capacity.of_key(guide_config(1.0), key)
    keys = sum("osint" in each.tags for each in config.keys)
    hour = max(capacity.key_windows(guide_config(1.0), key), key=lambda window: window[1])
    at_70_s = hour[0] / capacity.of_key(config, key).burst_per_s
    return (
        f"The guide leaves out the limit of the hour: {hour[0]:,} requests are {whole.sustained_per_s:g}/s. "
        f"At 70/s a key is spent after {say_duration(at_70_s)} of each hour; for ever {keys} keys give "
        f"{keys * whole.sustained_per_s:g} requests/s, which is "
        f"{keys * whole.sustained_per_s / REQUESTS['characters']:g} characters/s, not 87.5."
    )


def _shared(workers: dict[str, WorkerPlan], have_per_s: float) -> str:
    characters, guilds = (math.floor(workers[name].alone_per_s * MARGIN) for name in ("characters", "guilds"))
    need = characters * REQUESTS["characters"] + guilds * REQUESTS["guilds"]
    return (
        f"Each worker is given all keys of its tag: {characters} characters/s and {guilds} guilds/s together need "
        f"{need:g} requests/s of {have_per_s:g}, without profiles."
    )


def _slots(items: WorkerPlan) -> str:
    slots = items.replicas * items.concurrency
    return (
        f"“{slots} items/s ({items.concurrency} concurrency × {items.replicas} replicas)” counts slots, not speed: "
        f"{slots} slots do {rate(items.slots_per_s)}/s when a job takes {items.cost.job_s * 1000:.0f} ms."
    )


def _keys(config: Config) -> str:
    key = capacity.of_key(guide_config(1.0), config.keys[0])
    least, most = (each * REQUESTS["items"] for each in ITEMS_PER_S)
    return (
        f"More DMA keys are advised for throughput, but {ITEMS_PER_S[0]}–{ITEMS_PER_S[1]} items/s need "
        f"{least:g}–{most:g} requests/s: within one key's {key.burst_per_s:g}/s, beyond its {key.sustained_per_s:g}/s "
        f"for ever, which takes {math.ceil(least / key.sustained_per_s)}–{math.ceil(most / key.sustained_per_s)} keys. "
        "And the API's terms allow one client per region."
    )
