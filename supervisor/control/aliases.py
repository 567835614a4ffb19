"""The guide's metric names, so that its Grafana panels and alerts work as they are written.

bullmq_queue_waiting_jobs{queue}             could start now
bullmq_queue_active_jobs{queue}              executing
bullmq_queue_delayed_jobs{queue}             scheduled for later, or waiting to be tried again
bullmq_queue_completed_jobs, _failed_jobs    kept completed and discarded jobs (retention ends them)
bullmq_queue_processing_rate{queue}          jobs per MINUTE over the last minute
bullmq_queue_avg_processing_time_ms{queue}   mean since the start
bullmq_jobs_total{queue,status}              completed or failed since the start
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from supervisor.control.measurements import SUCCEEDED, Totals
from supervisor.control.snapshot import Snapshot

STATES = {
    "waiting": ("available",),
    "active": ("executing",),
    "delayed": ("scheduled", "retryable"),
    "completed": ("completed",),
    "failed": ("discarded",),
}


def aliases(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the aliased families."""
    for name, states in STATES.items():
        family = GaugeMetricFamily(f"bullmq_queue_{name}_jobs", f"Jobs that are {name}.", labels=["queue"])
        for worker in snapshot.config.workers:
            counts = snapshot.counts(worker)
            family.add_metric([worker], sum(sum(counts.get(state, ())) for state in states))
        yield family
    yield from _speeds(snapshot)


def _speeds(snapshot: Snapshot) -> Iterator[Metric]:
    rate = GaugeMetricFamily("bullmq_queue_processing_rate", "Jobs per minute.", labels=["queue"])
    mean = GaugeMetricFamily("bullmq_queue_avg_processing_time_ms", "Mean duration.", labels=["queue"])
    jobs = CounterMetricFamily("bullmq_jobs", "Jobs that ended.", labels=["queue", "status"])
    for worker in snapshot.config.workers:
        totals = snapshot.measurements.totals.get(worker, Totals())
        job_s = totals.job_s.statistics()
        count = job_s.count
        completed = sum(totals.outcomes[outcome] for outcome in SUCCEEDED)
        failed = totals.outcomes["unparsed"] + totals.outcomes["discard"]
        rate.add_metric([worker], snapshot.measurements.per_s(worker) * 60.0)
        mean.add_metric([worker], 1000.0 * job_s.sum / count if count else 0.0)
        jobs.add_metric([worker, "completed"], completed)
        jobs.add_metric([worker, "failed"], failed)
    yield from (rate, mean, jobs)
