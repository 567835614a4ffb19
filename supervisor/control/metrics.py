"""Everything for Prometheus, drawn anew at each scrape from one snapshot; nothing is counted here.

Names: DESIGN section 8 (`gatherer_…`), and the guide's `bullmq_…` as aliases (`aliases.py`). Labels are
names out of the configuration, states and outcomes: bounded. Never an entity, a realm or a path.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from supervisor.control.aliases import aliases
from supervisor.control.limits import REASONS, limited_by
from supervisor.control.snapshot import Snapshot
from supervisor.control.status import PRIORITIES
from supervisor.control.stored import stored
from supervisor.pools.autoscale import CAUSES

USABLE = ("ok", "probing")
KEY_STATES = ("ok", "no token", "parked", "probing", "quarantined", "disabled")


class Metrics(Collector):
    """The text of /metrics. snapshot: makes one look at everything; called once a scrape."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Name nothing ahead: it would need a snapshot before there is one."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every family (called by prometheus_client)."""
        snapshot = self._snapshot()
        for family in (_queues, _jobs, _requests, _keys, _pools, _autoscale, _configuration, _process, stored, aliases):
            yield from family(snapshot)


def _queues(snapshot: Snapshot) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("gatherer_queue_jobs", "Jobs by state.", labels=["worker", "state", "priority"])
    oldest = GaugeMetricFamily(
        "gatherer_oldest_waiting_seconds", "Age of the oldest job that could start.", labels=["worker"]
    )
    for worker in snapshot.config.workers:
        for state, counts in snapshot.counts(worker).items():
            for priority, count in zip(PRIORITIES, counts, strict=True):
                jobs.add_metric([worker, state, priority], count)
        pulse = snapshot.database.pulse
        oldest.add_metric([worker], 0.0 if pulse is None else pulse.oldest_s.get(worker, 0.0))
    yield from (jobs, oldest)


def _jobs(snapshot: Snapshot) -> Iterator[Metric]:
    jobs = CounterMetricFamily("gatherer_jobs", "Turns of jobs by how they ended.", labels=["worker", "outcome"])
    seconds = HistogramMetricFamily("gatherer_job_seconds", "From claim to finish.", labels=["worker"])
    saved = CounterMetricFamily("gatherer_requests_saved", "Requests that were not needed.", labels=["worker"])
    repeated = CounterMetricFamily("gatherer_requests_repeated", "Requests sent again.", labels=["worker"])
    unparsed = CounterMetricFamily("gatherer_unparsed", "Answers of unknown shape.", labels=["endpoint"])
    for worker, totals in snapshot.measurements.totals.items():
        for outcome, count in totals.outcomes.items():
            jobs.add_metric([worker, outcome], count)
        job_s = totals.job_s.statistics()
        seconds.add_metric([worker], job_s.buckets(), job_s.sum)
        saved.add_metric([worker], totals.saved)
        repeated.add_metric([worker], totals.retried)
    for endpoint, count in snapshot.measurements.unparsed.items():
        unparsed.add_metric([endpoint], count)
    braked = GaugeMetricFamily("gatherer_endpoint_braked", "1 while it is only probed.", labels=["worker", "endpoint"])
    for worker, pool in snapshot.pools.workers.items():
        for brake in pool.braked:
            braked.add_metric([worker, brake.endpoint], 1.0)
    yield from (jobs, seconds, saved, repeated, unparsed, braked)


def _requests(snapshot: Snapshot) -> Iterator[Metric]:
    requests = CounterMetricFamily("gatherer_requests", "Requests by answer.", labels=["key", "worker", "status"])
    waits = HistogramMetricFamily(
        "gatherer_permit_wait_seconds", "From asking for a permit to having it.", labels=["worker"]
    )
    trips = HistogramMetricFamily(
        "gatherer_round_trip_seconds", "From sending a request to its answer's headers.", labels=["worker"]
    )
    for key in snapshot.limiter.keys:
        # From nothing on, so that the first one is a rise that Prometheus sees.
        refusals = {worker.name: {"429": 0} for worker in snapshot.config.workers.values() if worker.tag in key.tags}
        for worker, statuses in (refusals | dict(key.statuses)).items():
            for status, count in (refusals.get(worker, {}) | dict(statuses)).items():
                requests.add_metric([key.name, worker, status], count)
    for worker, permits in snapshot.limiter.workers.items():
        waits.add_metric([worker], permits.waits.buckets(), permits.waits.sum)
        trips.add_metric([worker], permits.round_trips.buckets(), permits.round_trips.sum)
    yield from (requests, waits, trips)


def _keys(snapshot: Snapshot) -> Iterator[Metric]:
    used = GaugeMetricFamily("gatherer_key_window_used", "Requests that count in the window.", labels=["key", "window"])
    limit = GaugeMetricFamily("gatherer_key_window_limit", "Requests that the window allows.", labels=["key", "window"])
    states = GaugeMetricFamily("gatherer_key_state", "1 for the state that holds.", labels=["key", "state"])
    for key in snapshot.limiter.keys:
        for window in key.windows:
            labels = [key.name, f"{window.per_s:g}s"]
            used.add_metric(labels, window.used)
            limit.add_metric(labels, window.limit)
        for state in KEY_STATES:
            states.add_metric([key.name, state], float(state == key.state))
    up = GaugeMetricFamily("gatherer_host_up", "0 while a host of an API does not answer.", labels=["host"])
    for host in snapshot.limiter.hosts:
        up.add_metric([host.host], float(not host.is_down))
    usable = GaugeMetricFamily("gatherer_tag_usable_keys", "Keys of a tag that can be used now.", labels=["tag"])
    for tag in sorted({tag for key in snapshot.limiter.keys for tag in key.tags}):
        keys = [key for key in snapshot.limiter.keys if tag in key.tags]
        usable.add_metric([tag], sum(key.state in USABLE for key in keys))
    yield from (used, limit, states, usable, up)


def _pools(snapshot: Snapshot) -> Iterator[Metric]:
    concurrency = GaugeMetricFamily("gatherer_concurrency", "Jobs at once in each replica.", labels=["worker", "view"])
    replicas = GaugeMetricFamily("gatherer_replicas", "Processes by state.", labels=["worker", "state"])
    restarts = CounterMetricFamily(
        "gatherer_replica_restarts", "Replicas that ended unasked, or for their memory.", labels=["worker", "reason"]
    )
    limited = GaugeMetricFamily("gatherer_limited", "1 for what keeps it from doing more.", labels=["worker", "by"])
    for worker in snapshot.config.workers:
        word = limited_by(snapshot, worker)
        for reason in REASONS:
            limited.add_metric([worker, reason], float(reason == word))
    yield limited
    degraded = GaugeMetricFamily("gatherer_pool_degraded", "1 while replicas keep dying.", labels=["worker"])
    for worker, pool in snapshot.pools.workers.items():
        concurrency.add_metric([worker, "desired"], pool.desired_concurrency)
        concurrency.add_metric([worker, "effective"], pool.effective_concurrency)
        replicas.add_metric([worker, "desired"], pool.desired_replicas)
        for state in ("starting", "ready", "draining"):
            replicas.add_metric([worker, state], pool.states.get(state, 0))
        for reason, count in pool.restarts.items():
            restarts.add_metric([worker, reason], count)
        degraded.add_metric([worker], float(pool.degraded))
    yield from (concurrency, replicas, restarts, degraded)


def _autoscale(snapshot: Snapshot) -> Iterator[Metric]:
    bounds = GaugeMetricFamily("gatherer_autoscale_bound", "Of the concurrency.", labels=["worker", "bound"])
    moves = CounterMetricFamily("gatherer_autoscale_moves", "Of the concurrency.", labels=["worker", "cause"])
    alerts = GaugeMetricFamily("gatherer_alerts_firing", "Alerts that ask for more.", labels=["worker"])
    for worker, moved in snapshot.autoscale.items():
        bounds.add_metric([worker, "min"], moved.min)
        bounds.add_metric([worker, "max"], moved.max)
        alerts.add_metric([worker], len(moved.alerts))
        for cause in CAUSES:
            moves.add_metric([worker, cause], moved.moves.get(cause, 0))
    yield from (bounds, moves, alerts)


def _configuration(snapshot: Snapshot) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "gatherer_config_last_reload_successful", "0 while the file is not in force.", value=float(snapshot.reload.ok)
    )
    yield GaugeMetricFamily("gatherer_config_generation", "Counts applied configurations.", value=snapshot.generation)
    targets = GaugeMetricFamily("gatherer_target_per_second", "Jobs per second hoped for.", labels=["worker"])
    for worker in snapshot.config.workers.values():
        if worker.target_per_s is not None:
            targets.add_metric([worker.name], worker.target_per_s)
    yield targets


def _process(snapshot: Snapshot) -> Iterator[Metric]:
    memory = GaugeMetricFamily("gatherer_memory_pss_bytes", "Proportional share of memory.", labels=["role"])
    for role, pss_bytes in snapshot.memory_by_role().items():
        memory.add_metric([role], pss_bytes)
    yield memory
    yield CounterMetricFamily(
        "gatherer_database_restarts", "Of the database process.", value=snapshot.database.restarts
    )
    pulse = snapshot.database.pulse
    if pulse is not None:
        yield GaugeMetricFamily("gatherer_database_commit_p99_seconds", "Last second.", value=pulse.commit_p99_s)
        yield GaugeMetricFamily("gatherer_database_backlog", "Requests that wait for a commit.", value=pulse.queued)
