"""What a configuration will do: the arithmetic behind `gatherer plan`. Pure; all rates are per second.

    a key      burst = its shortest window, until the longest is spent; sustained = its tightest window
    a tag      the sum of its keys; its workers share it by weight (sharing.py)
    a worker   jobs = min(what the keys give, slots / seconds of a job, what is offered)
    Little     jobs at once = jobs a second · seconds of a job; so many slots make the keys the limit
A request counts from its grant until a window after its answer (limiter), so a burst of N in W seconds
is granted at N / (W + round trip).
"""

import math
from collections.abc import Mapping

import msgspec

from supervisor.settings.capacity import key_windows, of_keys
from supervisor.settings.config import Config, Key, Value, Worker
from supervisor.settings.cost import Cost
from supervisor.settings.references import keys_of
from supervisor.settings.sharing import Drawer, share


class TagPlan(Value, frozen=True):
    """The keys of one tag. Rates: requests.

    burst_s: None = a burst never ends. granted_per_s: a burst as the limiter grants it, round trips
    counted. binds_s: the window that limits in the long run. wanted_per_s: what the workers' targets
    need. keys_needed: for the targets, for ever; None = there is no key to measure by.
    """

    tag: str
    keys: tuple[str, ...]
    burst_per_s: float
    burst_s: float | None
    granted_per_s: float
    sustained_per_s: float
    binds_s: float | None
    wanted_per_s: float
    keys_needed: int | None


class WorkerPlan(Value, frozen=True):
    """One worker's jobs a second.

    alone_per_s: its keys' whole burst divided by the requests of a job. slots_per_s: what its slots can
    do. burst_per_s, sustained_per_s: what it will do beside the others when all have endless work.
    limited_by: what ends the burst rate: keys, concurrency, offered, paused. concurrency_needed: in each
    replica, so that the keys limit. aimed_burst_per_s, aimed_sustained_per_s: what it will do when all
    want their targets and nothing more. target: "for ever", "in a burst", "missed" or "" (it has none).
    """

    name: str
    tag: str
    cost: Cost
    concurrency: int
    replicas: int
    alone_per_s: float
    slots_per_s: float
    burst_per_s: float
    sustained_per_s: float
    limited_by: str
    concurrency_needed: int
    target_per_s: float | None
    aimed_burst_per_s: float
    aimed_sustained_per_s: float
    target: str


class Plan(Value, frozen=True):
    """Everything. one_key_per_region: the same with a single key, of all tags, for each region of an API."""

    tags: tuple[TagPlan, ...]
    workers: tuple[WorkerPlan, ...]
    regions: tuple[str, ...]
    one_key_per_region: tuple[WorkerPlan, ...]


def plan(config: Config, costs: Mapping[str, Cost]) -> Plan:
    """Return what `config` will do when each worker's job costs what `costs` says (every worker needs one)."""
    lawful = one_key_per_region(config)
    return Plan(
        tags=tuple(_tag(config, tag, costs) for tag in dict.fromkeys(w.tag for w in config.workers.values())),
        workers=_workers(config, costs),
        regions=tuple(region for key in lawful.keys for region in key.regions),
        one_key_per_region=_workers(lawful, costs),
    )


def one_key_per_region(config: Config) -> Config:
    """Return the configuration with one key for each region of each API, which serves all tags that had keys there."""
    keys: dict[tuple[str, str], Key] = {}
    for key in config.keys:
        for region in key.regions or (config.apis[key.api].region,):
            first = keys.setdefault((key.api, region), msgspec.structs.replace(key, regions=(region,)))
            tags = tuple(dict.fromkeys(first.tags + key.tags))
            keys[key.api, region] = msgspec.structs.replace(first, tags=tags)
    return msgspec.structs.replace(config, keys=tuple(keys.values()))


def _tag(config: Config, tag: str, costs: Mapping[str, Cost]) -> TagPlan:
    workers = [worker for worker in config.workers.values() if worker.tag == tag]
    keys = keys_of(config, workers[0])
    capacity = of_keys(config, keys)
    trip_s = max((costs[worker.name].round_trip_s for worker in workers), default=0.0)
    wanted_per_s = sum((worker.target_per_s or 0.0) * costs[worker.name].requests for worker in workers)
    each_per_s = capacity.sustained_per_s / len(keys) if keys else 0.0
    windows = [window for key in keys for window in key_windows(config, key)]
    return TagPlan(
        tag=tag,
        keys=tuple(key.name for key in keys),
        burst_per_s=capacity.burst_per_s,
        burst_s=None if math.isinf(capacity.burst_s) else capacity.burst_s,
        granted_per_s=sum(_granted_per_s(config, key, trip_s) for key in keys),
        sustained_per_s=capacity.sustained_per_s,
        binds_s=min(windows, key=lambda window: window[0] / window[1])[1] if windows else None,
        wanted_per_s=wanted_per_s,
        keys_needed=math.ceil(wanted_per_s / each_per_s - 1e-9) if each_per_s else None,
    )


def _granted_per_s(config: Config, key: Key, trip_s: float) -> float:
    requests, per_s = min(key_windows(config, key), key=lambda window: window[1])
    return requests / (per_s + trip_s)


def _sustained_per_s(config: Config, key: Key, trip_s: float) -> float:
    return min(requests / (per_s + trip_s) for requests, per_s in key_windows(config, key))


class _Rates(Value, frozen=True):
    """What sharing gives everybody, {worker: requests a second}: see WorkerPlan for the names."""

    burst: dict[str, float]
    sustained: dict[str, float]
    unbounded: dict[str, float]
    aimed_burst: dict[str, float]
    aimed_sustained: dict[str, float]


def _workers(config: Config, costs: Mapping[str, Cost]) -> tuple[WorkerPlan, ...]:
    rates = _rates(config, costs)
    return tuple(_worker(config, worker, costs[worker.name], rates) for worker in config.workers.values())


def _rates(config: Config, costs: Mapping[str, Cost]) -> _Rates:
    working = [worker for worker in config.workers.values() if not worker.paused]
    trips = [costs[worker.name].round_trip_s for worker in working]
    trip_s = sum(trips) / len(trips) if trips else 0.0
    burst = {key.name: _granted_per_s(config, key, trip_s) for key in config.keys}
    sustained = {key.name: _sustained_per_s(config, key, trip_s) for key in config.keys}
    wants: dict[str, list[Drawer]] = {"slots": [], "offered": [], "targets": []}
    for worker in working:
        cost = costs[worker.name]
        offered_per_s = math.inf if cost.offered_per_s is None else cost.offered_per_s
        slots_per_s = _slots_per_s(worker, cost)
        for name, jobs_per_s in (
            ("offered", offered_per_s),
            ("slots", min(offered_per_s, slots_per_s)),
            ("targets", min(worker.target_per_s or 0.0, slots_per_s)),
        ):
            keys = tuple(key.name for key in keys_of(config, worker))
            drawer = Drawer(name=worker.name, weight=worker.weight, keys=keys, wants_per_s=jobs_per_s * cost.requests)
            wants[name].append(drawer)
    return _Rates(
        burst=share(burst, wants["slots"]),
        sustained=share(sustained, wants["slots"]),
        unbounded=share(burst, wants["offered"]),
        aimed_burst=share(burst, wants["targets"]),
        aimed_sustained=share(sustained, wants["targets"]),
    )


def _slots_per_s(worker: Worker, cost: Cost) -> float:
    return worker.most_concurrency * worker.replicas / cost.job_s


def _worker(config: Config, worker: Worker, cost: Cost, rates: _Rates) -> WorkerPlan:
    slots_per_s = _slots_per_s(worker, cost)
    offered_per_s = slots_per_s if cost.offered_per_s is None else cost.offered_per_s
    unshared_per_s = 0.0 if worker.paused else min(slots_per_s, offered_per_s)

    def jobs(requests: Mapping[str, float]) -> float:
        return requests.get(worker.name, 0.0) / cost.requests if cost.requests else unshared_per_s

    needed = jobs(rates.unbounded) * cost.job_s / max(1, worker.replicas)
    return WorkerPlan(
        name=worker.name,
        tag=worker.tag,
        cost=cost,
        concurrency=worker.most_concurrency,
        replicas=worker.replicas,
        alone_per_s=_alone_per_s(config, worker, cost),
        slots_per_s=slots_per_s,
        burst_per_s=jobs(rates.burst),
        sustained_per_s=jobs(rates.sustained),
        limited_by=_limited_by(worker, cost, jobs(rates.burst), slots_per_s),
        concurrency_needed=math.ceil(needed - 1e-9),
        target_per_s=worker.target_per_s,
        aimed_burst_per_s=jobs(rates.aimed_burst),
        aimed_sustained_per_s=jobs(rates.aimed_sustained),
        target=_target(worker.target_per_s, jobs(rates.aimed_burst), jobs(rates.aimed_sustained)),
    )


def _alone_per_s(config: Config, worker: Worker, cost: Cost) -> float:
    burst_per_s = of_keys(config, keys_of(config, worker)).burst_per_s
    return burst_per_s / cost.requests if cost.requests else math.inf


def _limited_by(worker: Worker, cost: Cost, burst_per_s: float, slots_per_s: float) -> str:
    if worker.paused:
        return "paused"
    if cost.offered_per_s is not None and burst_per_s >= cost.offered_per_s - 1e-6:
        return "offered"
    return "concurrency" if burst_per_s >= slots_per_s - 1e-6 else "keys"


def _target(target_per_s: float | None, burst_per_s: float, sustained_per_s: float) -> str:
    if target_per_s is None:
        return ""
    if sustained_per_s >= target_per_s - 1e-6:
        return "for ever"
    return "in a burst" if burst_per_s >= target_per_s - 1e-6 else "missed"
